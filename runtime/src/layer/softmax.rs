//! The softmax along the last axis.

use candle_core::{D, Tensor};
use serde::{Deserialize, Serialize};

use super::rule::{self, hold};
use super::{AsLast, Layer, OutputRule, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckResult, Shape};

/// The softmax along the last axis, `y[i] = exp(x[i]) / sum over j of exp(x[j])`.
///
/// The largest `x` is subtracted first, so that nothing overflows. Do not use it before
/// `CrossEntropy`, which takes logits.
///
/// # Shapes
/// `[…, classes]`, unchanged; each vector along the last axis sums to 1.
///
/// # Errors
/// `softmax: the input is a scalar []; expected at least one axis`, at compile time.
///
/// # Source
/// Bridle 1990.
///
/// # Example
/// ```
/// use trainspec::layer::Softmax;
/// use trainspec::Shape;
///
/// let x = Shape::of(&[32, 8, 8]);
/// assert_eq!(Softmax {}.output(x), Ok(x));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Softmax {}

impl Softmax {
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

impl Config for Softmax {
    const NAME: &'static str = "softmax";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for Softmax {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const AS_LAST: AsLast = AsLast::Probabilities;

    fn flops(&self, _: &[Shape], output: Shape) -> u64 {
        // maximum and difference, exponential, sum, quotient
        rule::operations(&[4, output.elements()])
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(&input) = inputs.first() else { return Lowering::Fallback };
        let classes = input.last();
        let vectors = input.elements() / classes.max(1);
        Lowering::kernel(kernels::Softmax { vectors, classes })
    }

    fn forward(&self, inputs: &[Tensor], _: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        softmax(x)
    }
}

/// The softmax along the last axis. The gradient treats the maximum as a constant, since it cancels.
pub(super) fn softmax(x: &Tensor) -> Result<Tensor> {
    let largest = x.detach().max_keepdim(D::Minus1)?;
    let powers = x.broadcast_sub(&largest)?.exp()?;
    Ok(powers.broadcast_div(&powers.sum_keepdim(D::Minus1)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_axis_is_required() {
        assert!(Softmax {}.check().is_ok());
        assert!(Softmax {}.output(Shape::of(&[1])).is_ok());
        let problem = Softmax {}.output(Shape::of(&[])).unwrap_err();
        assert_eq!(problem.as_str(), "the input is a scalar []; expected at least one axis");
    }
}
