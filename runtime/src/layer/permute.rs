//! Other orders of axes.

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

/// The axes in another order: `x.permute(axes = [1, 2, 0])` moves the channels of an image to the end.
///
/// # Shapes
/// `[n₀, n₁, …]` to `[n_axes[0], n_axes[1], …]`; the batch axis is not included.
///
/// # Errors
/// `permute: axes has 2 numbers; expected each axis of [3, 8, 8] once`, at compile time.
///
/// # Source
/// PyTorch's `permute`.
///
/// # Example
/// ```
/// use trainspec::layer::Permute;
/// use trainspec::Shape;
///
/// let last = Permute { axes: [1, 2, 0] };
/// assert_eq!(last.output(Shape::of(&[3, 8, 9])), Ok(Shape::of(&[8, 9, 3])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permute<const RANK: usize> {
    /// For each axis of the output, that of the input, counted from 0 without the batch axis; required.
    #[serde(with = "lengths")]
    pub axes: [usize; RANK],
}

impl<const RANK: usize> Permute<RANK> {
    /// Each axis below the number of axes occurs once.
    pub const fn check(&self) -> CheckResult {
        let mut i = 0;
        while i < RANK {
            let (mut j, mut count) = (0, 0);
            while j < RANK {
                if self.axes[j] == i {
                    count += 1;
                }
                j += 1;
            }
            if count != 1 {
                return Err(CheckError::new("axes has axis ")
                    .number(i)
                    .text(if count == 0 { " not at all" } else { " more than once" })
                    .text("; expected each axis once"));
            }
            i += 1;
        }
        Ok(())
    }

    /// The input's axes in this order.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        hold!(rule::fixed(input, 0));
        hold!(self.check());
        if input.rank() != RANK {
            return Err(CheckError::new("axes has ")
                .number(RANK)
                .text(" numbers; expected each axis of ")
                .shape(input)
                .text(" once"));
        }
        let mut lengths = [0; RANK];
        let mut i = 0;
        while i < RANK {
            lengths[i] = input.axis(self.axes[i]);
            i += 1;
        }
        Ok(Shape::of(&lengths))
    }
}

impl<const RANK: usize> Config for Permute<RANK> {
    const NAME: &'static str = "permute";
    const DEFAULT: Self = Self { axes: [0; RANK] };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("axes", "the new order of the axes")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl<const RANK: usize> Layer for Permute<RANK> {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], _: Shape) -> u64 {
        0
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        layout::permuted(inputs, &self.axes)
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        layout::permute(one(inputs, self)?, &self.axes)
    }
}

/// Two axes exchanged: `x.transpose(axes = [0, 1])` turns a sequence `[length, features]` into `[features, length]`.
///
/// # Shapes
/// `[…, n, …, m, …]` to `[…, m, …, n, …]`.
///
/// # Errors
/// `transpose: axis is 2; expected an axis of [8, 3], counted from 0`, at compile time.
///
/// # Source
/// PyTorch's `transpose`.
///
/// # Example
/// ```
/// use trainspec::layer::Transpose;
/// use trainspec::Shape;
///
/// let turned = Transpose { axes: [0, 1] };
/// assert_eq!(turned.output(Shape::of(&[8, 3])), Ok(Shape::of(&[3, 8])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transpose {
    /// The two axes, counted from 0 without the batch axis; `[0, 1]` by default.
    pub axes: [usize; 2],
}

impl Transpose {
    /// The axes differ.
    pub const fn check(&self) -> CheckResult {
        if self.axes[0] != self.axes[1] {
            return Ok(());
        }
        Err(CheckError::new("both axes are ").number(self.axes[0]).text("; expected two different ones"))
    }

    /// The input with the two axes exchanged.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        hold!(rule::fixed(input, 0));
        hold!(self.check());
        let [a, b] = self.axes;
        hold!(layout::axis_of(input, a));
        hold!(layout::axis_of(input, b));
        Ok(input.with_axis(a, input.axis(b)).with_axis(b, input.axis(a)))
    }

    /// All axes of the output.
    fn order(&self, rank: usize) -> Vec<usize> {
        let [a, b] = self.axes;
        let mut order: Vec<_> = (0..rank).collect();
        if a < rank && b < rank {
            order.swap(a, b);
        }
        order
    }
}

impl Config for Transpose {
    const NAME: &'static str = "transpose";
    const DEFAULT: Self = Self { axes: [0, 1] };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Transpose {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], _: Shape) -> u64 {
        0
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let rank = inputs.first().map_or(0, |input| input.rank());
        layout::permuted(inputs, &self.order(rank))
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        layout::permute(x, &self.order(x.rank() - 1))
    }
}
