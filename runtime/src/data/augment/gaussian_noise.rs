//! Additive noise.

use serde::{Deserialize, Serialize};

use super::{Augment, Sample};
use crate::config::Config;
use crate::data::SampleRng;
use crate::shape::{CheckError, CheckResult};

/// Adds independent normal noise to each value, and limits the values to the declared range.
///
/// Its standard deviation is `std` times that of the value's channel over the training samples, so that 0.1 means the same for pixels from 0
/// to 1, pixels from 0 to 255, and columns of a table with units of their own: noise of 0.1 after a normalization of each channel. Each of the
/// `Features` is a channel. Constant channels stay constant.
///
/// For images, series and features.
///
/// # Source
/// Bishop 1995, "Training with Noise is Equivalent to Tikhonov Regularization".
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianNoise {
    /// The standard deviation of the noise, relative to that of the channel, above 0. Required.
    pub std: f64,
}

impl GaussianNoise {
    /// Checks the range of the key.
    pub const fn check(&self) -> CheckResult {
        if self.std > 0.0 && self.std.is_finite() {
            return Ok(());
        }
        Err(CheckError::new("std is ")
            .float(self.std)
            .text("; expected a number above 0, such as 0.1, or leave `GaussianNoise` out"))
    }
}

impl Config for GaussianNoise {
    const NAME: &'static str = "GaussianNoise";
    const DEFAULT: Self = Self { std: 0.0 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("std", "the standard deviation of the noise, relative to that of the channel")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Augment for GaussianNoise {
    fn apply(&self, sample: &mut Sample<'_>, rng: &mut SampleRng) {
        let channels = sample.channels().count();
        let deviations: Vec<_> =
            (0..channels).map(|channel| self.std * f64::from(sample.deviation(channel))).collect();
        for (channel, deviation) in sample.channels().zip(deviations) {
            for pair in channel.chunks_mut(2) {
                for (value, normal) in pair.iter_mut().zip(rng.normals()) {
                    *value = (f64::from(*value) + deviation * normal) as f32;
                }
            }
        }
        sample.clamp();
    }
}
