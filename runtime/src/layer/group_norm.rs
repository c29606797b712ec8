//! Group normalization: normalizes each group of channels to mean 0 and variance 1, separately in each image.

use candle_core::{D, Tensor};
use serde::{Deserialize, Serialize};

use super::batch_norm::spread;
use super::deviation::deviation;
use super::rule::{self, hold};
use super::{Axis, Init, Layer, LayerKind, OutputRule, Parameter, ParameterAxes, Role, one};
use crate::config::Config;
use crate::error::Result;
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// Group normalization: splits the channels of an image into groups, normalizes each group to mean 0 and
/// variance 1, then scales and shifts each channel.
///
/// `y = weight * (x - mean) / sqrt(variance + eps) + bias`, with mean and biased variance of the group's
/// channels and all their pixels in one image, and `weight` and `bias` of the channel. `weight` is initialized to
/// 1 and `bias` to 0; weight decay skips both. Samples are independent, so training and evaluation are the same.
///
/// # Shapes
/// `[channels, height, width]`, unchanged.
///
/// # Errors
/// ``group_norm needs `groups`, the number of groups``, or
/// `group_norm: 8 channels cannot be split into 3 groups; expected a divisor of 8`, at compile time.
///
/// # Source
/// Wu & He 2018. One group is layer normalization over the whole image; as many groups as channels is
/// [`InstanceNorm`](super::InstanceNorm).
///
/// # Example
/// ```
/// use trainspec::layer::GroupNorm;
/// use trainspec::{Config, Shape};
///
/// let layer = GroupNorm { groups: 8, ..GroupNorm::DEFAULT };
/// let image = Shape::of(&[32, 8, 8]);
/// assert_eq!(layer.output(image), Ok(image));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupNorm {
    /// The number of groups that the channels are split into, at least 1; divides the number of channels; required.
    pub groups: usize,
    /// Added to the variance, above 0; 1e-5 by default.
    pub eps: f64,
}

impl GroupNorm {
    /// `groups` is at least 1, `eps` above 0.
    pub const fn check(&self) -> CheckResult {
        hold!(rule::count("groups", self.groups));
        rule::positive("eps", self.eps)
    }

    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::image(input));
        hold!(self.check());
        let channels = input.axis(0);
        if channels.is_multiple_of(self.groups) {
            return Ok(input);
        }
        Err(CheckError::new("")
            .number(channels)
            .text(" channels cannot be split into ")
            .number(self.groups)
            .text(" groups; expected a divisor of ")
            .number(channels))
    }
}

impl Config for GroupNorm {
    const NAME: &'static str = "group_norm";
    const DEFAULT: Self = Self { groups: 0, eps: 1e-5 };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("groups", "the number of groups")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for GroupNorm {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const PARAMETERS: ParameterAxes = &[("weight", &[Axis::FirstOfInput]), ("bias", &[Axis::FirstOfInput])];

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        let Some(&[channels, ..]) = inputs.first().map(Shape::axes) else { return Vec::new() };
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
        let Some(&[channels, height, width]) = inputs.first().map(Shape::axes) else {
            return Lowering::Fallback;
        };
        let (places, groups, eps) = (height * width, self.groups, self.eps as f32);
        let sizes = trainspec_kernels::group_norm::GroupNorm { batch: 1, channels, places, groups, eps };
        Lowering::kernel(kernels::GroupNorm(sizes))
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        scaled(&normalized(x, self.groups, self.eps)?, pass.parameter("weight")?, pass.parameter("bias")?)
    }
}

/// Normalizes each of `groups` groups of channels of `[batch, channels, …]`.
pub(super) fn normalized(x: &Tensor, groups: usize, eps: f64) -> Result<Tensor> {
    let groups = x.reshape((x.dim(0)?, groups, ()))?;
    let centered = groups.broadcast_sub(&groups.mean_keepdim(D::Minus1)?)?;
    let variance = centered.sqr()?.mean_keepdim(D::Minus1)?;
    Ok(centered.broadcast_div(&deviation(&variance, eps)?)?.reshape(x.shape())?)
}

/// Scales and shifts each channel of `[batch, channels, …]`.
pub(super) fn scaled(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let (batch, channels) = (x.dim(0)?, x.dim(1)?);
    let y = x.reshape((batch, channels, ()))?;
    let (weight, bias) = (weight.reshape((1, channels, 1))?, bias.reshape((1, channels, 1))?);
    let y = spread(&weight, batch, |weight| y.broadcast_mul(weight))?;
    let y = spread(&bias, batch, |bias| y.broadcast_add(bias))?;
    Ok(y.reshape(x.shape())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::alone;

    #[test]
    #[should_panic(expected = "group_norm needs `groups`, the number of groups")]
    fn groups_must_be_given() {
        alone(&GroupNorm::DEFAULT, &["eps"], GroupNorm::DEFAULT.check());
    }

    #[test]
    fn groups_must_divide_channels() {
        let layer = GroupNorm { groups: 4, ..GroupNorm::DEFAULT };
        let image = Shape::of(&[8, 3, 1]);
        assert_eq!(layer.output(image), Ok(image));
        let problem = GroupNorm { groups: 3, ..layer }.output(image).unwrap_err();
        assert_eq!(problem.as_str(), "8 channels cannot be split into 3 groups; expected a divisor of 8");
        for bad in [&[8][..], &[8, 3], &[8, 3, 0], &[8, 3, Shape::ANY], &[2, 3, 3]] {
            assert!(layer.output(Shape::of(bad)).is_err());
        }
    }

    #[test]
    fn keys_are_checked_at_their_bounds() {
        let good = GroupNorm { groups: 1, eps: 1e-12 };
        assert!(good.check().is_ok());
        assert!(GroupNorm { eps: 0.0, ..good }.check().is_err());
        assert!(GroupNorm { groups: 0, ..good }.check().is_err());
        assert!(GroupNorm { groups: 0, ..good }.output(Shape::of(&[2, 2, 2])).is_err());
    }
}
