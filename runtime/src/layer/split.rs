//! Parts of a value with given sizes: `let (a, b) = x.split(sizes = [3, 5]);`.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::layout::{self, lengths};
use super::rule::{self, hold};
use super::{Layer, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::Lowering;
use crate::shape::{CheckError, CheckResult, Shape};

/// Parts of a value along an axis, one for each name: `let (a, b) = x.split(sizes = [3, 5], axis = 1);`. For equal parts, see
/// [`Chunk`](super::Chunk).
///
/// # Shapes
/// `[…, n, …]` to `[…, sizes[i], …]` for part `i`; the sizes add up to `n`.
///
/// # Errors
/// `split: the sizes add up to 7, but axis 0 of [8] has the length 8`, at compile time.
///
/// # Source
/// PyTorch's `split` with a list of sizes.
///
/// # Example
/// ```
/// use trainspec::layer::Split;
/// use trainspec::Shape;
///
/// let second = Split { sizes: [3, 5], axis: 0, parts: 2, part: 1 };
/// assert_eq!(second.output(Shape::of(&[8])), Ok(Shape::of(&[5])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split<const PARTS: usize> {
    /// The size of each part, at least 1; required.
    #[serde(with = "lengths")]
    pub sizes: [usize; PARTS],
    /// The axis, counted from 0 without the batch axis; 0 by default.
    pub axis: usize,
    /// The number of names in `let (a, b) = …`, which is that of the sizes.
    pub parts: usize,
    /// Which part, from 0; set by the position of its name.
    pub part: usize,
}

impl<const PARTS: usize> Split<PARTS> {
    /// Every size is at least 1.
    pub const fn check(&self) -> CheckResult {
        let mut i = 0;
        while i < PARTS {
            hold!(rule::count("a size", self.sizes[i]));
            i += 1;
        }
        Ok(())
    }

    /// The input with the size of the part along `axis`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        hold!(rule::fixed(input, 0));
        hold!(self.check());
        hold!(layout::axis_of(input, self.axis));
        if self.parts == 0 {
            return Err(CheckError::new("it returns several values; write `let (a, b) = …`"));
        }
        if self.parts != PARTS || self.part >= PARTS {
            return Err(CheckError::new("there are ")
                .number(PARTS)
                .text(" sizes and ")
                .number(self.parts)
                .text(" names; expected a name for each size"));
        }
        let (mut sum, mut i) = (0_usize, 0);
        while i < PARTS {
            sum = sum.saturating_add(self.sizes[i]);
            i += 1;
        }
        if sum != input.axis(self.axis) {
            return Err(CheckError::new("the sizes add up to ")
                .number(sum)
                .text(", but axis ")
                .number(self.axis)
                .text(" of ")
                .shape(input)
                .text(" has the length ")
                .number(input.axis(self.axis)));
        }
        Ok(input.with_axis(self.axis, self.sizes[self.part]))
    }

    /// The part with this index, of as many as there are names.
    #[must_use]
    pub const fn part(self, part: usize, parts: usize) -> Self {
        Self { parts, part, ..self }
    }

    /// The shapes of all parts, as many as there are names.
    pub const fn outputs<const N: usize>(&self, input: Shape) -> CheckResult<[Shape; N]> {
        let (mut shapes, mut i) = ([Shape::UNKNOWN; N], 0);
        while i < N {
            shapes[i] = hold!(self.part(i, N).output(input));
            i += 1;
        }
        Ok(shapes)
    }

    /// The elements of the part along the axis.
    fn range(&self) -> (usize, usize) {
        let (before, rest) = self.sizes.split_at(self.part.min(PARTS));
        let start = before.iter().sum();
        (start, start + rest.first().copied().unwrap_or(0))
    }
}

impl<const PARTS: usize> Config for Split<PARTS> {
    const NAME: &'static str = "split";
    const DEFAULT: Self = Self { sizes: [0; PARTS], axis: 0, parts: 0, part: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("sizes", "the size of each part")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl<const PARTS: usize> Layer for Split<PARTS> {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], _: Shape) -> u64 {
        0
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let (start, end) = self.range();
        layout::range(inputs, self.axis, start, end)
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let (start, end) = self.range();
        Ok(one(inputs, self)?.narrow(self.axis + 1, start, end - start)?.contiguous()?)
    }
}
