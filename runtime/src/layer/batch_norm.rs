//! Batch normalization: normalizes each channel to mean 0 and variance 1 over the batch.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::deviation::deviation;
use super::rule::{self, hold};
use super::{Axis, Init, Layer, LayerKind, OutputRule, Parameter, ParameterAxes, Role, one};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::layer::Pass;
use crate::op::{Lowering, kernels};
use crate::shape::{CheckError, CheckResult, Shape};

/// Batch normalization: normalizes each channel to mean 0 and variance 1, then scales and shifts it.
///
/// `y = weight * (x - mean) / sqrt(variance + eps) + bias`, with one value of each per channel.
/// `weight` is initialized to 1 and `bias` to 0; weight decay skips both.
///
/// # Shapes
/// `[channels]`, `[channels, length]` or `[channels, height, width]`, unchanged.
///
/// # Training and evaluation
/// In training, the mean and variance of a channel are taken over the batch and all positions, with the
/// biased variance. The running statistics are updated as `running = (1 - update) * running + update * new`,
/// with the unbiased variance. They start at 0 and 1, are saved with the model, and are used in evaluation.
///
/// # Errors
/// `batch_norm: eps is 0; expected a number above 0` and the like, at compile time. In training, a batch
/// with one value per channel, which has no variance, stops the run with an error.
///
/// # Source
/// Ioffe & Szegedy 2015. `update` is PyTorch's `momentum`; Keras's `momentum` is `1 - update`.
///
/// # Example
/// ```
/// use trainspec::layer::BatchNorm;
/// use trainspec::{Config, Shape};
///
/// let image = Shape::of(&[32, 8, 8]);
/// assert_eq!(BatchNorm::DEFAULT.output(image), Ok(image));
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNorm {
    /// Added to the variance, above 0; 1e-5 by default.
    pub eps: f64,
    /// The weight of the new value in the running statistics, from 0 to 1; 0.1 by default.
    pub update: f64,
}

impl BatchNorm {
    /// `eps` is above 0, `update` from 0 to 1.
    pub const fn check(&self) -> CheckResult {
        hold!(rule::positive("eps", self.eps));
        if self.update >= 0.0 && self.update <= 1.0 {
            return Ok(());
        }
        Err(CheckError::new("update is ").float(self.update).text("; expected 0 <= update <= 1"))
    }

    /// The input's shape.
    pub const fn output(&self, input: Shape) -> CheckResult<Shape> {
        hold!(rule::reals(input));
        if input.rank() == 0 || input.rank() > 3 {
            return Err(CheckError::new("the input is ")
                .shape(input)
                .text("; expected [channels], [channels, length] or [channels, height, width]"));
        }
        hold!(rule::fixed(Shape::of(&[input.axis(0)]), 0));
        // A single sample has a variance if it has several values per channel.
        let is_one = input.elements() == input.axis(0);
        Ok(input.for_batches_of(if is_one { 2 } else { 1 }))
    }
}

impl Config for BatchNorm {
    const NAME: &'static str = "batch_norm";
    const DEFAULT: Self = Self { eps: 1e-5, update: 0.1 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Layer for BatchNorm {
    const OUTPUT: OutputRule<Self> = OutputRule::One(Self::output);
    const PARAMETERS: ParameterAxes = &[
        ("weight", &[Axis::FirstOfInput]),
        ("bias", &[Axis::FirstOfInput]),
        ("running_mean", &[Axis::FirstOfInput]),
        ("running_var", &[Axis::FirstOfInput]),
    ];

    fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        let Some(&[channels, ..]) = inputs.first().map(Shape::axes) else { return Vec::new() };
        let axes = [channels];
        vec![
            Parameter::new("weight", &axes, Role::Norm, Init::Ones),
            Parameter::new("bias", &axes, Role::Norm, Init::Zeros),
            Parameter::new("running_mean", &axes, Role::Statistic, Init::Zeros),
            Parameter::new("running_var", &axes, Role::Statistic, Init::Ones).at_least(0.0),
        ]
    }

    fn flops(&self, _: &[Shape], output: Shape) -> u64 {
        // mean, difference, square, mean, scale and shift
        rule::operations(&[7, output.elements()])
    }

    fn statistics_update(&self) -> Option<f64> {
        Some(self.update)
    }

    fn kind(&self) -> LayerKind {
        LayerKind::BatchNorm
    }

    fn lowering(&self, inputs: &[Shape]) -> Lowering {
        let Some(&[channels, ref places @ ..]) = inputs.first().map(Shape::axes) else {
            return Lowering::Fallback;
        };
        let places = places.iter().product();
        Lowering::kernel(kernels::BatchNorm { channels, places, eps: self.eps, update: self.update })
    }

    fn forward(&self, inputs: &[Tensor], pass: &mut Pass<'_>) -> Result<Tensor> {
        let x = one(inputs, self)?;
        let (batch, channels) = (x.dim(0)?, x.dim(1)?);
        let places = x.elem_count() / (batch * channels).max(1);
        let flat = x.reshape((batch, channels, places))?;
        let weight = pass.parameter("weight")?.reshape((1, channels, 1))?;
        let bias = pass.parameter("bias")?.reshape((1, channels, 1))?;
        let running_mean = pass.parameter("running_mean")?.clone();
        let running_var = pass.parameter("running_var")?.clone();

        let (centered, variance) = if pass.is_training() {
            let count = batch * places;
            if count < 2 {
                return Err(Error::no_variance(count));
            }
            let mean = mean_of_channels(&flat)?;
            let centered = spread(&mean, batch, |mean| flat.broadcast_sub(mean))?;
            let variance = mean_of_channels(&centered.sqr()?)?;
            let unbiased = count as f64 / (count as f64 - 1.0);
            let follow = |running: Tensor, new: &Tensor, scale: f64| {
                let new = new.detach().flatten_all()?.affine(self.update * scale, 0.0)?;
                running.detach().affine(1.0 - self.update, 0.0)? + new
            };
            pass.set_statistic("running_mean", &follow(running_mean, &mean, 1.0)?)?;
            pass.set_statistic("running_var", &follow(running_var, &variance, unbiased)?)?;
            (centered, variance)
        } else {
            let mean = running_mean.reshape((1, channels, 1))?;
            (flat.broadcast_sub(&mean)?, running_var.reshape((1, channels, 1))?)
        };
        let scale = (weight / deviation(&variance, self.eps)?)?;
        let y = spread(&scale, batch, |scale| centered.broadcast_mul(scale))?;
        let y = spread(&bias, batch, |bias| y.broadcast_add(bias))?;
        Ok(y.reshape(x.shape())?)
    }
}

/// `[batch, channels, places]` to the mean of each channel, `[1, channels, 1]`.
fn mean_of_channels(x: &Tensor) -> candle_core::Result<Tensor> {
    let (batch, _, places) = x.dims3()?;
    x.sum_keepdim(2)?.sum_keepdim(0)?.affine(1.0 / (batch * places) as f64, 0.0)
}

/// Combines a value for each channel, `[1, channels, 1]`, with a whole batch using `join`.
///
/// The value is repeated over the batch first, so that the gradient is summed in two steps, over the last axis and then
/// over the first, for which candle has fast code.
pub(super) fn spread(
    channels: &Tensor,
    batch: usize,
    join: impl FnOnce(&Tensor) -> candle_core::Result<Tensor>,
) -> candle_core::Result<Tensor> {
    join(&channels.broadcast_as((batch, channels.dim(1)?, 1))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_checked_at_their_bounds() {
        for update in [0.0, 1.0] {
            assert!(BatchNorm { update, ..BatchNorm::DEFAULT }.check().is_ok());
        }
        let problem = BatchNorm { update: 1.5, ..BatchNorm::DEFAULT }.check().unwrap_err();
        assert_eq!(problem.as_str(), "update is 1.5; expected 0 <= update <= 1");
        assert!(BatchNorm { update: -0.1, ..BatchNorm::DEFAULT }.check().is_err());
        assert!(BatchNorm { eps: 0.0, ..BatchNorm::DEFAULT }.check().is_err());
    }

    #[test]
    fn one_to_three_axes_are_accepted() {
        for axes in [&[4][..], &[4, 9], &[4, 3, 3]] {
            assert!(
                BatchNorm::DEFAULT.output(Shape::of(axes)).is_ok_and(|output| output.same(Shape::of(axes)))
            );
        }
        for axes in [&[][..], &[4, 3, 3, 3], &[0, 3], &[Shape::ANY]] {
            assert!(BatchNorm::DEFAULT.output(Shape::of(axes)).is_err());
        }
    }
}
