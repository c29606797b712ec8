//! Equal parts of a value: `let (a, b) = x.chunk();`.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::layout;
use super::rule::{self, hold};
use super::{Layer, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::Lowering;
use crate::shape::{CheckError, CheckResult, Shape};

/// Equal parts of a value along an axis, one for each name: `let (q, k, v) = x.chunk(axis = 1);`.
///
/// # Shapes
/// `[…, n, …]` to `[…, n / parts, …]` for each part; `n` is a multiple of the number of names.
///
/// # Errors
/// `chunk: axis 0 of [8] cannot be divided into 3 equal parts`, at compile time.
///
/// # Source
/// PyTorch's `chunk`, without a smaller last part.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// /// The gated linear unit (Dauphin et al. 2017).
/// #[model]
/// fn Glu(x: Value) -> Value {
///     let (value, gate) = x.chunk();
///     value * gate.sigmoid()
/// }
///
/// #[model]
/// fn Net(x: Features<4>) -> Values<8> {
///     x.linear(out = 16).glu()
/// }
/// assert_eq!(Net::graph()?.nodes.len(), 5);
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chunk {
    /// The axis, counted from 0 without the batch axis; 0 by default.
    pub axis: usize,
    /// The number of parts; that of the names in `let (a, b) = …` by default.
    pub parts: usize,
    /// Which part, from 0; set by the position of its name.
    pub part: usize,
}

impl Chunk {
    /// `part` is one of the parts.
    pub const fn check(&self) -> CheckResult {
        if self.parts == 0 && self.part == 0 || self.part < self.parts {
            return Ok(());
        }
        Err(CheckError::new("part is ")
            .number(self.part)
            .text("; expected one below parts, ")
            .number(self.parts))
    }

    /// The input with `1 / parts` of the length of `axis`.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        hold!(rule::fixed(input, 0));
        hold!(self.check());
        hold!(layout::axis_of(input, self.axis));
        if self.parts == 0 {
            return Err(CheckError::new("it returns several values; write `let (a, b) = …`"));
        }
        let length = input.axis(self.axis);
        if !length.is_multiple_of(self.parts) {
            return Err(CheckError::new("axis ")
                .number(self.axis)
                .text(" of ")
                .shape(input)
                .text(" cannot be divided into ")
                .number(self.parts)
                .text(" equal parts"));
        }
        Ok(input.with_axis(self.axis, length / self.parts))
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
    fn range(&self, length: usize) -> (usize, usize) {
        let width = length / self.parts.max(1);
        (self.part * width, self.part * width + width)
    }
}

impl Config for Chunk {
    const NAME: &'static str = "chunk";
    const DEFAULT: Self = Self { axis: 0, parts: 0, part: 0 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Chunk {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], _: Shape) -> u64 {
        0
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let length = inputs.first().and_then(|input| input.axes().get(self.axis)).copied().unwrap_or(0);
        let (start, end) = self.range(length);
        layout::range(inputs, self.axis, start, end)
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let (start, end) = self.range(x.dim(self.axis + 1)?);
        Ok(x.narrow(self.axis + 1, start, end - start)?.contiguous()?)
    }
}
