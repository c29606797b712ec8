//! Group normalization: normalizes each group of channels to mean 0 and variance 1, separately in every sample.
//!
//! `y = weight * xhat + bias` with `xhat = (x - mean) / sqrt(variance + eps)`, the mean and the biased variance of the
//! group's channels and all their positions in one sample, and `weight` and `bias` of the channel. Backward, with
//! `g = weight * dy` and means over the group: `dx = (g - mean(g) - xhat mean(g xhat)) / sqrt(variance + eps)`, and
//! `d_weight = sum dy xhat`, `d_bias = sum dy` over samples and positions.
//!
//! The mean is kept as two values, an f32 and its rounding error, the rest. If the mean is far above the deviation, the
//! rest is far above the rounding of `xhat`, and without it the sum of `dx` would not be 0.
//!
//! # Source
//! Wu and He, "Group normalization", 2018.

mod backward;
mod forward;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::matmul::WriteMode;
use crate::sizes::elements;

/// The sizes of a group normalization.
///
/// ```
/// use trainspec_kernels::group_norm::GroupNorm;
///
/// let norm = GroupNorm { batch: 1, channels: 2, places: 1, groups: 1, eps: 0.0 };
/// let (mut statistics, mut y) = ([0.0; 3], [0.0; 2]);
/// norm.forward(&[3.0, 7.0], &[1.0, 2.0], &[0.0, 0.5], &mut statistics, &mut y);
/// assert_eq!(statistics, [5.0, 0.5, 0.0]);
/// assert_eq!(y, [-1.0, 2.5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GroupNorm {
    /// The number of samples.
    pub batch: usize,
    /// The number of channels.
    pub channels: usize,
    /// The number of positions per channel.
    pub places: usize,
    /// The number of groups, a divisor of the number of channels.
    pub groups: usize,
    /// The value added to the variance.
    pub eps: f32,
}

impl GroupNorm {
    /// Writes the normalized values to `y`, and each group's mean, `1 / sqrt(variance + eps)` and the rest of the mean
    /// (its rounding error as f32) to `statistics`.
    ///
    /// # Shapes
    /// `x`, `y`: `[batch, channels, places]`; `weight`, `bias`: `[channels]`; `statistics`: `[batch, groups, 3]`.
    ///
    /// # Panics
    /// If a slice has the wrong length, or the groups do not divide the channels.
    pub fn forward(&self, x: &[f32], weight: &[f32], bias: &[f32], statistics: &mut [f32], y: &mut [f32]) {
        self.check(x, weight);
        assert_eq!(bias.len(), self.channels, "bias is [channels]");
        assert_eq!(
            statistics.len(),
            elements([3, self.batch, self.groups]),
            "statistics are [batch, groups, 3]"
        );
        forward::run(self, x, weight, bias, Some(statistics), y);
    }

    /// Writes the normalized values to `y`, bit-identical to [`GroupNorm::forward`].
    ///
    /// # Panics
    /// As [`GroupNorm::forward`].
    pub fn infer(&self, x: &[f32], weight: &[f32], bias: &[f32], y: &mut [f32]) {
        self.check(x, weight);
        assert_eq!(bias.len(), self.channels, "bias is [channels]");
        forward::run(self, x, weight, bias, None, y);
    }

    /// The gradients of `x`, `weight` and `bias` from that of `y`, `dy`; that of `x` is optional.
    ///
    /// `statistics` is the output of [`GroupNorm::forward`] for the same `x`.
    ///
    /// # Panics
    /// As [`GroupNorm::forward`], or if a gradient is not as long as its value.
    #[allow(clippy::too_many_arguments, reason = "each is an array of its own")]
    pub fn backward(
        &self,
        x: &[f32],
        weight: &[f32],
        statistics: &[f32],
        dy: &[f32],
        dx: Option<(&mut [f32], WriteMode)>,
        d_weight: (&mut [f32], WriteMode),
        d_bias: (&mut [f32], WriteMode),
    ) {
        self.check(x, weight);
        assert_eq!(
            statistics.len(),
            elements([3, self.batch, self.groups]),
            "statistics are [batch, groups, 3]"
        );
        assert_eq!(dy.len(), x.len(), "dy is as long as x");
        assert!(dx.as_ref().is_none_or(|(dx, _)| dx.len() == x.len()), "dx is as long as x");
        assert_eq!(d_weight.0.len(), self.channels, "the gradient of the weight is [channels]");
        assert_eq!(d_bias.0.len(), self.channels, "the gradient of the bias is [channels]");
        let input = backward::Input { norm: self, x, weight, statistics, dy };
        backward::run(&input, dx, d_weight, d_bias);
    }

    fn check(&self, x: &[f32], weight: &[f32]) {
        let divides =
            if self.groups == 0 { self.channels == 0 } else { self.channels.is_multiple_of(self.groups) };
        assert!(divides, "the groups divide the channels");
        assert_eq!(
            x.len(),
            elements([self.batch, self.channels, self.places]),
            "x is [batch, channels, places]"
        );
        assert_eq!(weight.len(), self.channels, "weight is [channels]");
    }

    /// The channels of a group.
    fn width(&self) -> usize {
        self.channels / self.groups.max(1)
    }

    /// The minimum number of groups per thread.
    fn block(&self) -> usize {
        /// The number of values that makes another thread worthwhile.
        const VALUES: usize = 32 * 1024;
        VALUES.div_ceil((self.width() * self.places).max(1))
    }

    /// The groups of a block, indexed across all samples.
    fn groups_of(&self, block: usize) -> Range<usize> {
        block * self.block()..(self.batch * self.groups).min((block + 1) * self.block())
    }

    /// The number of blocks of groups.
    fn blocks(&self) -> usize {
        (self.batch * self.groups).div_ceil(self.block())
    }
}
