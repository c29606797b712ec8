//! The largest value along one axis.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::{Layer, LayerKind, OutputRule, one, pooling};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckResult, Shape};

/// The largest of all elements along one axis, such as the positions of a sequence: max pooling over time.
///
/// `y[…] = max over i of x[…, i, …]`. The gradient goes to the first of equal maxima. NaN counts as larger than every other
/// value.
///
/// # Shapes
/// `[…, length, …]` to the same without the axis, two or more axes to one or more: `[length, features]` to `[features]` with
/// `axis` 0.
///
/// # Errors
/// `max_pool: axis is 2; expected an axis of [16, 8], counted from 0`, at compile time.
///
/// # Source
/// Collobert et al. 2011, "max pooling over time".
///
/// # Example
/// ```
/// use trainspec::Shape;
/// use trainspec::layer::MaxPool;
///
/// assert_eq!(MaxPool { axis: 0 }.output(Shape::of(&[16, 8])), Ok(Shape::of(&[8])));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxPool {
    /// The axis, counted from 0 without the batch axis; 0 by default: the positions of a sequence.
    pub axis: usize,
}

impl MaxPool {
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

impl Config for MaxPool {
    const NAME: &'static str = "max_pool";
    const DEFAULT: Self = Self { axis: 0 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for MaxPool {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, inputs: &[Shape], _: Shape) -> u64 {
        inputs.first().map_or(0, |input| input.elements() as u64)
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Pool
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        match inputs.first().and_then(|input| kernels::along(*input, self.axis)) {
            Some(sizes) => Lowering::kernel(kernels::AxisMax(sizes)),
            None => Lowering::Fallback,
        }
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        pooling::largest_along(x, self.axis + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axis_is_removed() {
        assert_eq!(MaxPool::DEFAULT.output(Shape::of(&[4, 3])), Ok(Shape::of(&[3])));
        assert_eq!(MaxPool { axis: 1 }.output(Shape::of(&[4, 3, 2])), Ok(Shape::of(&[4, 2])));
        let problem = MaxPool { axis: 2 }.output(Shape::of(&[4, 3])).unwrap_err();
        assert_eq!(problem.as_str(), "axis is 2; expected an axis of [4, 3], counted from 0");
        let problem = MaxPool { axis: 0 }.output(Shape::of(&[4])).unwrap_err();
        assert_eq!(problem.as_str(), "the input is [4]; expected at least two axes");
        assert!(MaxPool { axis: 5 }.check().is_err());
    }
}
