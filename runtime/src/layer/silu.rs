//! The sigmoid-weighted linear unit.

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

/// The sigmoid-weighted linear unit, `y = x / (1 + exp(-x))`, also called swish.
///
/// # Shapes
/// Any shape of real values, unchanged.
///
/// # Errors
/// Only for an input of tokens, at compile time.
///
/// # Source
/// Elfwing et al. 2018; Ramachandran et al. 2017.
///
/// # Example
/// ```
/// use trainspec::layer::Silu;
/// use trainspec::{Config, Shape};
///
/// let x = Shape::of(&[32, 8, 8]);
/// assert_eq!(Silu::DEFAULT.output(x), Ok(x));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silu {}

impl Silu {
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

impl Config for Silu {
    const NAME: &'static str = "silu";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Silu {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);

    fn flops(&self, _: &[Shape], output: Shape) -> u64 {
        // negation, exponential, sum and quotient
        rule::operations(&[4, output.elements()])
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Activation
    }

    fn lowering(&self, _: &[Shape]) -> Lowering {
        Lowering::Activation(Activation::Silu)
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        // Not candle's own `silu`, whose gradient, `s (1 - x s) + x s` with `s = sigmoid(x)`, loses precision as x grows,
        // and is 0 from 3e7 on.
        Ok((x * candle_nn::ops::sigmoid(x)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_real_shape_is_accepted() {
        for axes in [&[][..], &[3], &[1, 2, 3, 4, 5]] {
            assert_eq!(Silu::DEFAULT.output(Shape::of(axes)), Ok(Shape::of(axes)));
        }
        assert!(Silu::DEFAULT.output(Shape::of(&[3, 0])).is_err());
        assert!(Silu::DEFAULT.output(Shape::tokens(5, 4)).is_err());
    }
}
