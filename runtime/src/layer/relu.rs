//! The rectified linear unit.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec_kernels::epilogue::Activation;

use super::rule::{self, hold};
use super::{Layer, LayerKind, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::Lowering;
use crate::shape::{CheckResult, Shape};

/// The rectified linear unit, `y = max(x, 0)`.
///
/// The gradient at 0 is 0, as in PyTorch. NaN stays NaN.
///
/// # Shapes
/// Any shape of real values, unchanged.
///
/// # Errors
/// Only for an input of tokens, at compile time.
///
/// # Source
/// Nair & Hinton 2010.
///
/// # Example
/// ```
/// use trainspec::layer::Relu;
/// use trainspec::{Config, Shape};
///
/// let x = Shape::of(&[32, 8, 8]);
/// assert_eq!(Relu::DEFAULT.output(x), Ok(x));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relu {}

impl Relu {
    /// Always succeeds: there is nothing to check.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }

    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        Ok(input)
    }
}

impl Config for Relu {
    const NAME: &'static str = "relu";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Relu {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn kind(&self) -> LayerKind {
        LayerKind::Rectifier
    }

    fn lowering(&self, _: &[Shape]) -> Lowering {
        Lowering::Activation(Activation::Relu)
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        // Not candle's own `relu`, whose gradient at 0 is 1. "Not at most 0" is true of NaN.
        Ok(x.le(0.0)?.where_cond(&x.zeros_like()?, x)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_real_shape_is_accepted() {
        for axes in [&[][..], &[3], &[1, 2, 3, 4, 5]] {
            assert_eq!(Relu::DEFAULT.output(Shape::of(axes)), Ok(Shape::of(axes)));
        }
        assert!(Relu::DEFAULT.output(Shape::of(&[3, 0])).is_err());
        assert!(Relu::DEFAULT.output(Shape::tokens(5, 4)).is_err());
    }
}
