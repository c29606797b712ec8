//! Instance normalization: normalizes each channel to mean 0 and variance 1, separately in each sample.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::group_norm::{normalized, scaled};
use super::rule::{self, hold};
use super::{Axis, Init, Layer, LayerKind, OutputRule, Parameter, ParameterAxes, Role, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// Instance normalization: normalizes each channel of an image or a sequence to mean 0 and variance 1.
///
/// `y = (x - mean) / sqrt(variance + eps)`, with mean and biased variance of the channel's elements in one sample. With `affine`,
/// each channel is then scaled by `weight` and shifted by `bias`, initialized to 1 and 0; weight decay skips both. Samples are
/// independent, so training and evaluation are the same.
///
/// # Shapes
/// `[channels, height, width]` or `[channels, length]`, unchanged.
///
/// # Errors
/// `instance_norm: the input [8, 1, 1] has one element for each channel, which would become 0; expected at least 2`, at
/// compile time.
///
/// # Source
/// Ulyanov et al. 2016. PyTorch's `InstanceNorm2d` and `InstanceNorm1d`, which are not affine by default either.
///
/// # Example
/// ```
/// use trainspec::layer::InstanceNorm;
/// use trainspec::{Config, Shape};
///
/// let image = Shape::of(&[32, 8, 8]);
/// assert_eq!(InstanceNorm::DEFAULT.output(image), Ok(image));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceNorm {
    /// Added to the variance, above 0; 1e-5 by default.
    pub eps: f64,
    /// Whether each channel has a learned scale and shift; `false` by default.
    pub affine: bool,
}

impl InstanceNorm {
    /// `eps` is above 0.
    pub const fn check(&self) -> CheckResult {
        rule::positive("eps", self.eps)
    }

    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        hold!(self.check());
        if input.rank() != 2 && input.rank() != 3 {
            return Err(CheckError::new("the input is ")
                .shape(input)
                .text("; expected [channels, height, width] or [channels, length]"));
        }
        hold!(rule::fixed(input, 0));
        if input.elements() == input.axis(0) {
            return Err(CheckError::new("the input ")
                .shape(input)
                .text(" has one element for each channel, which would become 0; expected at least 2"));
        }
        Ok(input)
    }
}

impl Config for InstanceNorm {
    const NAME: &'static str = "instance_norm";
    const DEFAULT: Self = Self { eps: 1e-5, affine: false };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for InstanceNorm {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const PARAMETERS: ParameterAxes = &[("weight", &[Axis::FirstOfInput]), ("bias", &[Axis::FirstOfInput])];

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        let Some(&[channels, ..]) = inputs.first().map(Shape::axes) else { return Vec::new() };
        if !self.affine {
            return Vec::new();
        }
        vec![
            Parameter::new("weight", &[channels], Role::Norm, Init::Ones),
            Parameter::new("bias", &[channels], Role::Norm, Init::Zeros),
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
        let Some(&[channels, ref places @ ..]) = inputs.first().map(Shape::axes) else {
            return Lowering::Fallback;
        };
        let (places, eps) = (places.iter().product(), self.eps);
        if !self.affine {
            return Lowering::kernel(kernels::LayerNorm { vectors: channels, features: places, eps });
        }
        let eps = eps as f32;
        let sizes =
            trainspec_kernels::group_norm::GroupNorm { batch: 1, channels, places, groups: channels, eps };
        Lowering::kernel(kernels::GroupNorm(sizes))
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let y = normalized(x, x.dim(1)?, self.eps)?;
        if self.affine { scaled(&y, pass.parameter("weight")?, pass.parameter("bias")?) } else { Ok(y) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_needs_two_elements() {
        let layer = InstanceNorm::DEFAULT;
        for good in [&[8, 1, 2][..], &[8, 3, 3], &[8, 5]] {
            assert_eq!(layer.output(Shape::of(good)), Ok(Shape::of(good)));
        }
        let problem = layer.output(Shape::of(&[8, 1, 1])).unwrap_err();
        let expected =
            "the input [8, 1, 1] has one element for each channel, which would become 0; expected at least 2";
        assert_eq!(problem.as_str(), expected);
        for bad in [&[8][..], &[8, 1], &[8, 3, Shape::ANY], &[2, 2, 2, 2]] {
            assert!(layer.output(Shape::of(bad)).is_err());
        }
        assert!(InstanceNorm { eps: 0.0, ..layer }.check().is_err());
    }
}
