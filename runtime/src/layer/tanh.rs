//! The hyperbolic tangent.

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

/// The elementwise hyperbolic tangent, with values in (-1, 1).
///
/// # Shapes
/// Any shape of real values, unchanged.
///
/// # Errors
/// Only for an input of tokens, at compile time.
///
/// # Source
/// LeCun et al. 1998 on why it learns better than `sigmoid`.
///
/// # Example
/// ```
/// use trainspec::layer::Tanh;
/// use trainspec::{Config, Shape};
///
/// let x = Shape::of(&[32, 8, 8]);
/// assert_eq!(Tanh::DEFAULT.output(x), Ok(x));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tanh {}

impl Tanh {
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

impl Config for Tanh {
    const NAME: &'static str = "tanh";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Tanh {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn kind(&self) -> LayerKind {
        LayerKind::Activation
    }

    fn lowering(&self, _: &[Shape]) -> Lowering {
        Lowering::Activation(Activation::Tanh)
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        Ok(x.tanh()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_real_shape_is_accepted() {
        for axes in [&[][..], &[3], &[1, 2, 3, 4, 5]] {
            assert_eq!(Tanh::DEFAULT.output(Shape::of(axes)), Ok(Shape::of(axes)));
        }
        assert!(Tanh::DEFAULT.output(Shape::of(&[3, 0])).is_err());
        assert!(Tanh::DEFAULT.output(Shape::tokens(5, 4)).is_err());
    }
}
