//! Constant values around an axis.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::layout;
use super::rule::{self, hold};
use super::{Layer, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::Lowering;
use crate::shape::{CheckResult, Shape};

/// Adds constant values before and after those of an axis: `x.pad(axis = 1, before = 2, after = 2)`.
///
/// [`Slice`](super::Slice) is the opposite: it crops.
///
/// # Shapes
/// `[…, n, …]` to `[…, before + n + after, …]`. Axis 0 is the first after the batch: the channels of an image.
///
/// # Errors
/// `pad: axis is 3; expected an axis of [3, 8, 8], counted from 0`, at compile time.
///
/// # Source
/// PyTorch's `pad` in the mode `constant`, for one axis.
///
/// # Example
/// ```
/// use trainspec::layer::Pad;
/// use trainspec::{Config, Shape};
///
/// let layer = Pad { axis: 1, before: 2, ..Pad::DEFAULT };
/// assert_eq!(layer.output(Shape::of(&[3, 8, 8])), Ok(Shape::of(&[3, 10, 8])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pad {
    /// The axis, counted from 0 without the batch axis; 0 by default.
    pub axis: usize,
    /// How many values are added before the first; 0 by default.
    pub before: usize,
    /// How many values are added after the last; 0 by default.
    pub after: usize,
    /// The values that are added, any finite number; 0 by default.
    pub value: f64,
}

impl Pad {
    /// The lengths are in range, and `value` is finite.
    pub const fn check(&self) -> CheckResult {
        hold!(rule::length("before", self.before));
        hold!(rule::length("after", self.after));
        rule::finite("value", self.value)
    }

    /// The input with a longer axis.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        hold!(rule::fixed(input, 0));
        hold!(self.check());
        hold!(layout::axis_of(input, self.axis));
        let length = input.axis(self.axis).saturating_add(self.before).saturating_add(self.after);
        rule::given(input.with_axis(self.axis, length))
    }
}

impl Config for Pad {
    const NAME: &'static str = "pad";
    const DEFAULT: Self = Self { axis: 0, before: 0, after: 0, value: 0.0 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Pad {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], _: Shape) -> u64 {
        0
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        layout::padded(inputs, self.axis, (self.before, self.after), self.value as f32)
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let constant = |length: usize| {
            let mut axes = x.dims().to_vec();
            axes[self.axis + 1] = length;
            Tensor::full(self.value, axes, x.device())?.to_dtype(x.dtype())
        };
        Ok(Tensor::cat(&[&constant(self.before)?, x, &constant(self.after)?], self.axis + 1)?)
    }
}
