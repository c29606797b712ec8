//! Stochastic depth: skips a residual branch for some samples in training.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::{AsLast, Layer, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::Lowering;
use crate::shape::{CheckResult, Shape};

/// Stochastic depth: in training each sample is zeroed entirely with probability `p`.
///
/// `y[n] = x[n] * mask[n] / (1 - p)`, where `mask[n]` is 1 with probability `1 - p` and 0 otherwise, one draw for sample `n`
/// of the micro-batch, so that the mean is preserved. It belongs at the end of a residual branch, which the sample then skips:
/// `x + x.conv2d(…).stochastic_depth(p = 0.1)`. The masks depend only on the seed, the layer's path, the
/// step, the micro-batch and the sample's index in it, so a sample's output in training depends on that index.
///
/// In the paper `p` grows in proportion to a block's depth, up to its value for the last block; here each call sets its own
/// `p`.
///
/// # Training and evaluation
/// In evaluation the input is returned unchanged.
///
/// # Shapes
/// Any shape of real values, unchanged.
///
/// # Errors
/// `stochastic_depth: p is 1; expected 0 <= p < 1`, at compile time.
///
/// # Source
/// Huang et al. 2016, in the inverted form of torchvision's `StochasticDepth(p, mode="row")`.
///
/// # Example
/// ```
/// use trainspec::layer::StochasticDepth;
/// use trainspec::prelude::*;
/// use trainspec::Shape;
///
/// let x = Shape::of(&[32, 8, 8]);
/// assert_eq!(StochasticDepth { p: 0.2 }.output(x), Ok(x));
///
/// #[model]
/// fn Net(x: Features<8>) -> Values<1> {
///     let x = x + x.linear(out = 8).relu().stochastic_depth(p = 0.1);
///     let x = x + x.linear(out = 8).relu().stochastic_depth(p = 0.2);
///     x.linear(out = 1)
/// }
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StochasticDepth {
    /// The probability that a sample is zeroed, from 0 and below 1; 0.1 by default.
    pub p: f64,
}

impl StochasticDepth {
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

impl Config for StochasticDepth {
    const NAME: &'static str = "stochastic_depth";
    const DEFAULT: Self = Self { p: 0.1 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for StochasticDepth {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const AS_LAST: AsLast = AsLast::ZeroesAtRandom;

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(input) = inputs.first() else { return Lowering::Fallback };
        Lowering::Dropout { p: self.p, each: input.elements() }
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        pass.dropout_of_samples(x, self.p)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_must_be_at_least_zero_and_below_one() {
        assert!(StochasticDepth { p: 0.0 }.check().is_ok());
        assert!(StochasticDepth { p: 0.999 }.check().is_ok());
        let problem = StochasticDepth { p: 1.0 }.check().unwrap_err();
        assert_eq!(problem.as_str(), "p is 1; expected 0 <= p < 1");
        assert!(StochasticDepth { p: f64::NAN }.check().is_err());
    }
}
