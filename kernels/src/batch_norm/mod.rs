//! Batch normalization: normalizes each channel to mean 0 and variance 1 over the batch.
//!
//! `pre = weight * (x - mean) / sqrt(variance + eps) + bias` with the mean and the biased variance of the channel over
//! all samples and positions, and `y = epilogue(pre)`. Backward, with `d` the gradient of `pre`, `n` values per channel and
//! `xhat = (x - mean) / sqrt(variance + eps)`: `d_bias = sum d`, `d_weight = sum d xhat`, and
//! `dx = weight / sqrt(variance + eps) * (d - d_bias / n - xhat d_weight / n)`.
//!
//! A thread processes a channel in both passes, so that the second finds it in its cache. Sums are taken over the
//! differences from a value near the mean, so that a mean far above the deviation causes no cancellation. For the same
//! reason the mean is kept as two values, an f32 and its rounding error, the rest. The rest is folded into the constants of
//! the channel, so that it costs nothing per element, and the sum of `dx` over a channel is 0 up to rounding of its terms.
//!
//! # Source
//! Ioffe and Szegedy, "Batch normalization", 2015; the shift: Chan, Golub and `LeVeque`, "Algorithms for computing the
//! sample variance", 1983.

mod backward;
mod columns;
mod forward;
mod places;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::epilogue::{Activation, Epilogue, Saved};
use crate::matmul::WriteMode;
use crate::reduce::{deviation, split};
use crate::sizes::elements;

/// The sizes of a batch normalization.
///
/// ```
/// use trainspec_kernels::batch_norm::BatchNorm;
/// use trainspec_kernels::epilogue::Epilogue;
///
/// let norm = BatchNorm { batch: 2, channels: 1, places: 2, eps: 0.0 };
/// let (mut statistics, mut y) = ([0.0; 3], [0.0; 4]);
/// norm.forward(&[1.0, 3.0, 1.0, 3.0], &[2.0], &[0.5], &Epilogue::NONE, &mut statistics, &mut y);
/// assert_eq!(statistics, [2.0, 1.0, 0.0]);
/// assert_eq!(y, [-1.5, 2.5, -1.5, 2.5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm {
    /// The number of samples.
    pub batch: usize,
    /// The number of channels.
    pub channels: usize,
    /// The number of positions per channel; 1 for vectors.
    pub places: usize,
    /// The value added to the variance.
    pub eps: f32,
}

impl BatchNorm {
    /// Writes the normalized values after `epilogue` to `y`, and each channel's mean and biased variance over the batch
    /// (0 and 0 without values) and the rest of the mean to `statistics`.
    ///
    /// # Shapes
    /// `x`, `y`: `[batch, channels, places]`; `weight`, `bias`: `[channels]`; `statistics`: `[3, channels]`, the
    /// means, then the variances, then the rests of the means (the rounding errors as f32). An element's index for the
    /// epilogue is that in `y`.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn forward(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        epilogue: &Epilogue<'_>,
        statistics: &mut [f32],
        y: &mut [f32],
    ) {
        self.check(x, weight, bias);
        self.check_epilogue(epilogue);
        assert_eq!(y.len(), x.len(), "y is as long as x");
        assert_eq!(statistics.len(), elements([3, self.channels]), "statistics are [3, channels]");
        forward::train(self, x, weight, bias, epilogue, statistics, y);
    }

    /// Writes the normalized values after `epilogue` to `y`, using the running means and variances.
    ///
    /// With the batch's own statistics the result is that of [`BatchNorm::forward`], except for the rest of the mean.
    ///
    /// # Panics
    /// As [`BatchNorm::forward`]; `running_mean` and `running_var` are `[channels]`.
    #[allow(clippy::too_many_arguments, reason = "each is an array of its own")]
    pub fn infer(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        running_mean: &[f32],
        running_var: &[f32],
        epilogue: &Epilogue<'_>,
        y: &mut [f32],
    ) {
        self.check(x, weight, bias);
        self.check_epilogue(epilogue);
        assert_eq!(y.len(), x.len(), "y is as long as x");
        assert_eq!(running_mean.len(), self.channels, "running_mean is [channels]");
        assert_eq!(running_var.len(), self.channels, "running_var is [channels]");
        let channels = Channels { weight, bias, means: running_mean, variances: running_var, rests: None };
        forward::infer(self, x, &channels, epilogue, y);
    }

    /// Computes the gradients of `x`, `weight` and `bias` for [`BatchNorm::forward`].
    ///
    /// `d` is the gradient before the residual was added, what
    /// [`Epilogue::backward_in_place`] takes; it becomes that of `pre`, before the epilogue. `statistics` is the output of
    /// [`BatchNorm::forward`] for the same `x`, and so is `y`, which is read only if the epilogue
    /// [needs it](Epilogue::saved); otherwise it may be empty.
    ///
    /// # Panics
    /// As [`BatchNorm::forward`], or if a gradient is not as long as its value.
    #[allow(clippy::too_many_arguments, reason = "each is an array of its own")]
    pub fn backward(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        statistics: &[f32],
        epilogue: &Epilogue<'_>,
        y: &[f32],
        d: &mut [f32],
        dx: Option<(&mut [f32], WriteMode)>,
        d_weight: (&mut [f32], WriteMode),
        d_bias: (&mut [f32], WriteMode),
    ) {
        self.check(x, weight, bias);
        assert_eq!(statistics.len(), elements([3, self.channels]), "statistics are [3, channels]");
        let needs_output = epilogue.saved() == Saved::Output;
        assert!(y.len() == x.len() || y.is_empty() && !needs_output, "the epilogue needs y, as long as x");
        assert_eq!(d.len(), x.len(), "d is as long as x");
        assert!(dx.as_ref().is_none_or(|(dx, _)| dx.len() == x.len()), "dx is as long as x");
        assert_eq!(d_weight.0.len(), self.channels, "the gradient of the weight is [channels]");
        assert_eq!(d_bias.0.len(), self.channels, "the gradient of the bias is [channels]");
        let channels = Channels::new(weight, bias, statistics);
        let input = backward::Input { norm: self, x, channels, epilogue, y };
        backward::run(&input, d, dx, d_weight, d_bias);
    }

    fn check(&self, x: &[f32], weight: &[f32], bias: &[f32]) {
        assert_eq!(
            x.len(),
            elements([self.batch, self.channels, self.places]),
            "x is [batch, channels, places]"
        );
        assert_eq!(weight.len(), self.channels, "weight is [channels]");
        assert_eq!(bias.len(), self.channels, "bias is [channels]");
    }

    fn check_epilogue(&self, epilogue: &Epilogue<'_>) {
        let length = elements([self.batch, self.channels, self.places]);
        assert!(
            epilogue.residual.is_none_or(|residual| residual.len() == length),
            "the residual is as long as y"
        );
    }

    /// The values of a channel.
    fn count(&self) -> usize {
        elements([self.batch, self.places])
    }

    /// The minimum number of channels per thread, a multiple of `unit`.
    fn channels_of_block(&self, unit: usize) -> usize {
        /// The number of values that makes another thread worthwhile.
        const VALUES: usize = 32 * 1024;
        VALUES.div_ceil(self.count().max(1)).next_multiple_of(unit).min(self.channels.max(1))
    }

    /// The number of parts that the samples are split into, if there are too few channels for the threads.
    fn parts(&self) -> usize {
        const FEW: usize = 8;
        const VALUES: usize = 32 * 1024;
        if self.channels >= FEW || self.count() < VALUES { 1 } else { PARTS.min(self.batch) }
    }

    /// The samples of a part.
    fn part(&self, number: usize, parts: usize) -> Range<usize> {
        number * self.batch / parts..(number + 1) * self.batch / parts
    }
}

/// The maximum number of parts of the samples.
const PARTS: usize = 8;
/// The maximum number of channels for which samples are split.
const SPLIT_CHANNELS: usize = 8;

/// The statistics and parameters of some channels.
#[derive(Clone, Copy)]
struct Channels<'a> {
    weight: &'a [f32],
    bias: &'a [f32],
    means: &'a [f32],
    variances: &'a [f32],
    /// The rests of the means; empty if there are none.
    rests: Option<&'a [f32]>,
}

impl<'a> Channels<'a> {
    /// With the statistics of [`BatchNorm::forward`].
    fn new(weight: &'a [f32], bias: &'a [f32], statistics: &'a [f32]) -> Self {
        let (means, others) = statistics.split_at(weight.len());
        let (variances, rests) = others.split_at(weight.len());
        Self { weight, bias, means, variances, rests: Some(rests) }
    }

    fn part(&self, range: &Range<usize>) -> Self {
        let part = |numbers: &'a [f32]| &numbers[range.clone()];
        Self {
            weight: part(self.weight),
            bias: part(self.bias),
            means: part(self.means),
            variances: part(self.variances),
            rests: self.rests.map(part),
        }
    }

    /// The [`Normal`] of each.
    fn normals(&self, eps: f32) -> impl Iterator<Item = Normal> {
        (0..self.means.len()).map(move |channel| {
            let (weight, variance) = (f64::from(self.weight[channel]), f64::from(self.variances[channel]));
            let rest = self.rests.map_or(0.0, |rests| rests[channel]);
            let scale = (weight / deviation(variance, eps)) as f32;
            let bias = (f64::from(self.bias[channel]) - f64::from(scale) * f64::from(rest)) as f32;
            Normal { mean: self.means[channel], scale, bias }
        })
    }
}

/// The map from `x` to `pre` in a channel.
#[derive(Clone, Copy)]
struct Normal {
    mean: f32,
    scale: f32,
    /// The bias, corrected by the rest of the mean.
    bias: f32,
}

impl Normal {
    /// Of nothing.
    const ZERO: Self = Self { mean: 0.0, scale: 0.0, bias: 0.0 };

    #[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
    #[inline(always)]
    fn of(self, x: f32) -> f32 {
        (x - self.mean).mul_add(self.scale, self.bias)
    }
}

/// Mean and biased variance of `count` values and the rest of the mean, from the sum and the sum of squares of their
/// differences from `shift`.
fn statistics([sum, squares]: [f64; 2], shift: f32, count: usize) -> [f32; 3] {
    let count = count.max(1) as f64;
    let mean = sum / count;
    let variance = squares / count - mean * mean;
    // Not `max`, which discards a NaN.
    let variance = if variance < 0.0 { 0.0 } else { variance };
    let [mean, rest] = split(f64::from(shift) + mean);
    [mean, variance as f32, rest]
}

/// An epilogue that is applied in the same loop: a residual and functions that clamp values below a floor.
#[derive(Clone, Copy)]
struct Floors {
    activation: f32,
    then: f32,
}

impl Floors {
    fn of(epilogue: &Epilogue<'_>) -> Option<Self> {
        let floor = |activation| match activation {
            Activation::Identity => Some(f32::NEG_INFINITY),
            Activation::Relu => Some(0.0),
            _ => None,
        };
        let floors = Self { activation: floor(epilogue.activation)?, then: floor(epilogue.then)? };
        epilogue.dropout.is_none().then_some(floors)
    }

    #[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
    #[inline(always)]
    fn apply(self, pre: f32, residual: Option<f32>) -> f32 {
        let floor = |x: f32, floor: f32| if x <= floor { floor } else { x };
        let value = floor(pre, self.activation);
        floor(residual.map_or(value, |residual| value + residual), self.then)
    }
}
