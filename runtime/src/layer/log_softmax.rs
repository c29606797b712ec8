//! The logarithm of the softmax along the last axis.

use candle_core::{D, Tensor};
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::{AsLast, Layer, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::shape::{CheckResult, Shape};

/// The logarithm of the softmax along the last axis, `y[i] = x[i] - ln(sum over j of exp(x[j]))`.
///
/// The largest `x` is subtracted first, so that nothing overflows and small probabilities keep their precision.
/// For a model with output `LogProbabilities`; before `CrossEntropy`, which takes logits, it has no effect.
///
/// # Shapes
/// `[…, classes]`, unchanged; the exponentials of each vector along the last axis sum to 1.
///
/// # Errors
/// `log_softmax: the input is a scalar []; expected at least one axis`, at compile time.
///
/// # Example
/// ```
/// use trainspec::layer::LogSoftmax;
/// use trainspec::Shape;
///
/// let x = Shape::of(&[32, 8, 8]);
/// assert_eq!(LogSoftmax {}.output(x), Ok(x));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSoftmax {}

impl LogSoftmax {
    /// Always succeeds: there is nothing to check.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }

    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::vectors(input));
        Ok(input)
    }
}

impl Config for LogSoftmax {
    const NAME: &'static str = "log_softmax";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for LogSoftmax {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const AS_LAST: AsLast = AsLast::Probabilities;

    fn flops(&self, _: &[Shape], output: Shape) -> u64 {
        // maximum and difference, exponential, sum, difference
        rule::operations(&[4, output.elements()])
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        // The gradient treats it as a constant, since it cancels.
        let largest = x.detach().max_keepdim(D::Minus1)?;
        let x = x.broadcast_sub(&largest)?;
        let log_sum = x.exp()?.sum_keepdim(D::Minus1)?.log()?;
        Ok(x.broadcast_sub(&log_sum)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_axis_is_required() {
        assert!(LogSoftmax {}.check().is_ok());
        assert!(LogSoftmax {}.output(Shape::of(&[1])).is_ok());
        let problem = LogSoftmax {}.output(Shape::of(&[])).unwrap_err();
        assert_eq!(problem.as_str(), "the input is a scalar []; expected at least one axis");
    }
}
