//! Layer normalization: normalizes each vector to mean 0 and variance 1.

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

/// Layer normalization: normalizes each vector along the last axis to mean 0 and variance 1, then scales
/// and shifts it elementwise.
///
/// `y = weight * (x - mean) / sqrt(variance + eps) + bias` with the vector's mean and biased variance.
/// `weight` is initialized to 1 and `bias` to 0; weight decay skips both.
///
/// # Shapes
/// `[…, features]`, unchanged.
///
/// # Errors
/// `layer_norm: eps is 0; expected a number above 0`, at compile time.
///
/// # Source
/// Ba et al. 2016.
///
/// # Example
/// ```
/// use trainspec::layer::LayerNorm;
/// use trainspec::{Config, Shape};
///
/// let vectors = Shape::of(&[128, 256]);
/// assert_eq!(LayerNorm::DEFAULT.output(vectors), Ok(vectors));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerNorm {
    /// Added to the variance, above 0; 1e-5 by default.
    pub eps: f64,
    /// Whether the layer has `weight` and `bias`; `true` by default.
    pub affine: bool,
}

impl LayerNorm {
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

impl Config for LayerNorm {
    const NAME: &'static str = "layer_norm";
    const DEFAULT: Self = Self { eps: 1e-5, affine: true };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for LayerNorm {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const PARAMETERS: ParameterAxes = &[("weight", &[Axis::LastOfInput]), ("bias", &[Axis::LastOfInput])];

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        if !self.affine {
            return Vec::new();
        }
        let axes = [inputs.first().map_or(1, |input| input.last())];
        vec![
            Parameter::new("weight", &axes, Role::Norm, Init::Ones),
            Parameter::new("bias", &axes, Role::Norm, Init::Zeros),
        ]
    }

    fn flops(&self, _: &[Shape], output: Shape) -> u64 {
        // mean, difference, square, mean, quotient, scale and shift
        rule::operations(&[7, output.elements()])
    }

    fn kind(&self) -> LayerKind {
        LayerKind::Norm
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(&input) = inputs.first() else { return Lowering::Fallback };
        let features = input.last();
        let vectors = input.elements() / features.max(1);
        Lowering::kernel(kernels::LayerNorm { vectors, features, eps: self.eps })
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let centered = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let variance = centered.sqr()?.mean_keepdim(D::Minus1)?;
        let y = centered.broadcast_div(&deviation(&variance, self.eps)?)?;
        if !self.affine {
            return Ok(y);
        }
        Ok(y.broadcast_mul(pass.parameter("weight")?)?.broadcast_add(pass.parameter("bias")?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eps_and_last_axis_are_checked() {
        assert!(LayerNorm { eps: 1e-12, ..LayerNorm::DEFAULT }.check().is_ok());
        assert!(LayerNorm { eps: 0.0, ..LayerNorm::DEFAULT }.check().is_err());
        assert!(LayerNorm::DEFAULT.output(Shape::of(&[1])).is_ok());
        assert!(LayerNorm::DEFAULT.output(Shape::of(&[])).is_err());
        assert!(LayerNorm::DEFAULT.output(Shape::tokens(5, 4)).is_err());
    }
}
