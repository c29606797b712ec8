//! The last element along one axis.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::{Layer, LayerKind, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckResult, Shape};

/// The last element along one axis, such as the output of a recurrent layer at the last position of a sequence.
///
/// `y[…] = x[…, length - 1, …]`
///
/// # Shapes
/// `[…, length, …]` to the same without the axis, two or more axes to one or more: `[length, features]` to `[features]` with
/// `axis` 0.
///
/// # Errors
/// `last: axis is 2; expected an axis of [16, 8], counted from 0`, at compile time.
///
/// # Source
/// The last state of a recurrent network as the representation of a sequence: Sutskever et al. 2014.
///
/// # Example
/// ```
/// use trainspec::Shape;
/// use trainspec::layer::Last;
///
/// assert_eq!(Last { axis: 0 }.output(Shape::of(&[16, 8])), Ok(Shape::of(&[8])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Last {
    /// The axis, counted from 0 without the batch axis; 0 by default: the positions of a sequence.
    pub axis: usize,
}

impl Last {
    /// `axis` is within the number of axes that a value can have.
    pub const fn check(&self) -> CheckResult {
        rule::axis(self.axis)
    }

    /// The input's shape without the axis.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(self.check());
        rule::without_axis(input, self.axis)
    }
}

impl Config for Last {
    const NAME: &'static str = "last";
    const DEFAULT: Self = Self { axis: 0 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Last {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, inputs: &[Shape], _: Shape) -> u64 {
        let _ = inputs;
        0
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Other
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        match inputs.first().and_then(|input| kernels::along(*input, self.axis)) {
            Some(sizes) => Lowering::kernel(kernels::AxisLast(sizes)),
            None => Lowering::Fallback,
        }
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let length = x.dim(self.axis + 1)?;
        Ok(x.narrow(self.axis + 1, length - 1, 1)?.squeeze(self.axis + 1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axis_is_removed() {
        assert_eq!(Last::DEFAULT.output(Shape::of(&[4, 3])), Ok(Shape::of(&[3])));
        assert_eq!(Last { axis: 1 }.output(Shape::of(&[4, 3, 2])), Ok(Shape::of(&[4, 2])));
        let problem = Last { axis: 2 }.output(Shape::of(&[4, 3])).unwrap_err();
        assert_eq!(problem.as_str(), "axis is 2; expected an axis of [4, 3], counted from 0");
        let problem = Last { axis: 0 }.output(Shape::of(&[4])).unwrap_err();
        assert_eq!(problem.as_str(), "the input is [4]; expected at least two axes");
        assert!(Last { axis: 5 }.check().is_err());
    }
}
