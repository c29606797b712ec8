//! Dropout: values are zeroed at random in training.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::{AsLast, Layer, LayerKind, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::Lowering;
use crate::shape::{CheckResult, Shape};

/// Dropout: in training each value is zeroed with probability `p`.
///
/// `y = x * mask / (1 - p)`, where each element of `mask` is 1 with probability `1 - p` and 0 otherwise, so
/// that the mean is preserved. The mask depends only on the seed, the layer's path, the step and the micro-batch.
///
/// # Training and evaluation
/// In evaluation the input is returned unchanged.
///
/// # Shapes
/// Any shape of real values, unchanged.
///
/// # Errors
/// `dropout: p is 1; expected 0 <= p < 1`, at compile time.
///
/// # Source
/// Srivastava et al. 2014, in the inverted form that PyTorch uses.
///
/// # Example
/// ```
/// use trainspec::layer::Dropout;
/// use trainspec::Shape;
///
/// let x = Shape::of(&[32, 8, 8]);
/// assert_eq!(Dropout { p: 0.25 }.output(x), Ok(x));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// The probability that a value is zeroed, from 0 and below 1; 0.5 by default.
    pub p: f64,
}

impl Dropout {
    /// `0 <= p < 1`.
    pub const fn check(&self) -> CheckResult {
        rule::probability("p", self.p)
    }

    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        Ok(input)
    }
}

impl Config for Dropout {
    const NAME: &'static str = "dropout";
    const DEFAULT: Self = Self { p: 0.5 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Dropout {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const AS_LAST: AsLast = AsLast::ZeroesAtRandom;

    fn kind(&self) -> LayerKind {
        LayerKind::Dropout { p: self.p }
    }

    fn lowering(&self, _: &[Shape]) -> Lowering {
        Lowering::Dropout { p: self.p, each: 1 }
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        pass.dropout(x, self.p)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_must_be_at_least_zero_and_below_one() {
        assert!(Dropout { p: 0.0 }.check().is_ok());
        assert!(Dropout { p: 0.999 }.check().is_ok());
        assert_eq!(Dropout { p: 1.0 }.check().unwrap_err().as_str(), "p is 1; expected 0 <= p < 1");
        assert_eq!(Dropout { p: -0.5 }.check().unwrap_err().as_str(), "p is -0.5; expected 0 <= p < 1");
    }
}
