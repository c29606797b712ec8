//! The logistic function.

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

/// The logistic function, `y = 1 / (1 + exp(-x))`, with values in (0, 1).
///
/// Do not use it before a loss that takes logits: such a loss applies it itself, more accurately.
///
/// # Shapes
/// Any shape of real values, unchanged.
///
/// # Errors
/// Only for an input of tokens, at compile time.
///
/// # Source
/// Rumelhart et al. 1986.
///
/// # Example
/// ```
/// use trainspec::layer::Sigmoid;
/// use trainspec::{Config, Shape};
///
/// let x = Shape::of(&[32, 8, 8]);
/// assert_eq!(Sigmoid::DEFAULT.output(x), Ok(x));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sigmoid {}

impl Sigmoid {
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

impl Config for Sigmoid {
    const NAME: &'static str = "sigmoid";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Sigmoid {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], output: Shape) -> u64 {
        // negation, exponential, sum and quotient
        rule::operations(&[4, output.elements()])
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Activation
    }

    fn lowering(&self, _: &[Shape]) -> Lowering {
        Lowering::Activation(Activation::Sigmoid)
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        Ok(candle_nn::ops::sigmoid(x)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_real_shape_is_accepted() {
        for axes in [&[][..], &[3], &[1, 2, 3, 4, 5]] {
            assert_eq!(Sigmoid::DEFAULT.output(Shape::of(axes)), Ok(Shape::of(axes)));
        }
        assert!(Sigmoid::DEFAULT.output(Shape::of(&[3, 0])).is_err());
        assert!(Sigmoid::DEFAULT.output(Shape::tokens(5, 4)).is_err());
    }
}
