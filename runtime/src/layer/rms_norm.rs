//! Root mean square normalization: normalizes each vector to mean square 1.

use candle_core::{D, Tensor};
use serde::{Deserialize, Serialize};

use super::deviation::deviation;
use super::rule::{self, hold};
use super::{Axis, Init, Layer, LayerKind, OutputRule, Parameter, ParameterAxes, Role, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckResult, Shape};

/// Root mean square normalization: normalizes each vector along the last axis to mean square 1, then scales
/// it elementwise. Unlike [`LayerNorm`](super::LayerNorm), it does not subtract the mean and has no bias.
///
/// `y = weight * x / sqrt(mean(x^2) + eps)`. `weight` is initialized to 1; weight decay skips it.
///
/// # Shapes
/// `[…, features]`, unchanged.
///
/// # Errors
/// `rms_norm: eps is 0; expected a number above 0`, at compile time.
///
/// # Source
/// Zhang & Sennrich 2019. PyTorch's `RMSNorm` uses the machine epsilon of the type, 1.2e-7, if `eps` is not set.
///
/// # Example
/// ```
/// use trainspec::layer::RmsNorm;
/// use trainspec::{Config, Shape};
///
/// let vectors = Shape::of(&[128, 256]);
/// assert_eq!(RmsNorm::DEFAULT.output(vectors), Ok(vectors));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RmsNorm {
    /// Added to the mean square, above 0; 1e-5 by default.
    pub eps: f64,
}

impl RmsNorm {
    /// `eps` is above 0.
    pub const fn check(&self) -> CheckResult {
        rule::positive("eps", self.eps)
    }

    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::vectors(input));
        Ok(input)
    }
}

impl Config for RmsNorm {
    const NAME: &'static str = "rms_norm";
    const DEFAULT: Self = Self { eps: 1e-5 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for RmsNorm {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const PARAMETERS: ParameterAxes = &[("weight", &[Axis::LastOfInput])];

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        let axes = [inputs.first().map_or(1, |input| input.last())];
        vec![Parameter::new("weight", &axes, Role::Norm, Init::Ones)]
    }

    fn flops(&self, _: &[Shape], output: Shape) -> u64 {
        // square, mean, quotient, scale
        rule::operations(&[4, output.elements()])
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Norm
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(&input) = inputs.first() else { return Lowering::Fallback };
        let features = input.last();
        let vectors = input.elements() / features.max(1);
        Lowering::kernel(kernels::RmsNorm { vectors, features, eps: self.eps })
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let mean_square = x.sqr()?.mean_keepdim(D::Minus1)?;
        let y = x.broadcast_div(&deviation(&mean_square, self.eps)?)?;
        Ok(y.broadcast_mul(pass.parameter("weight")?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eps_and_last_axis_are_checked() {
        assert!(RmsNorm { eps: 1e-12 }.check().is_ok());
        assert!(RmsNorm { eps: 0.0 }.check().is_err());
        assert!(RmsNorm::DEFAULT.output(Shape::of(&[1])).is_ok());
        assert!(RmsNorm::DEFAULT.output(Shape::of(&[])).is_err());
        assert!(RmsNorm::DEFAULT.output(Shape::tokens(5, 4)).is_err());
    }
}
