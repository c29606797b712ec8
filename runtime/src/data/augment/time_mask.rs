//! Erased steps of a series.

use serde::{Deserialize, Serialize};

use super::{Augment, Sample, Takes};
use crate::config::Config;
use crate::data::SampleRng;
use crate::shape::{CheckError, CheckResult, Shape};

/// Erases consecutive steps of all channels of a series, which are replaced by the mean of each channel over the training samples. Their number
/// is uniform from 0 to `steps`, their place is uniform.
///
/// In the paper inputs are normalized first and the mask is 0, which is the same. `TimeMasking` of torchaudio.
///
/// For series `[channels, steps]`.
///
/// # Source
/// Park et al. 2019, "`SpecAugment`: A Simple Data Augmentation Method for Automatic Speech Recognition".
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeMask {
    /// The largest number of erased steps, at least 1 and less than those of the series. Required.
    pub steps: usize,
}

impl TimeMask {
    /// Checks the range of the key.
    pub const fn check(&self) -> CheckResult {
        if self.steps == 0 {
            return Err(CheckError::new("steps is 0; expected at least 1, or leave `TimeMask` out"));
        }
        Ok(())
    }
}

impl Config for TimeMask {
    const NAME: &'static str = "TimeMask";
    const DEFAULT: Self = Self { steps: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("steps", "the largest number of erased steps")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Augment for TimeMask {
    const TAKES: Takes = Takes::Series;

    fn apply(&self, sample: &mut Sample<'_>, rng: &mut SampleRng) {
        let &[channels, length] = sample.shape().axes() else { return };
        let count = rng.below(self.steps.saturating_add(1)).min(length);
        let start = rng.below(length - count + 1);
        let means: Vec<f32> = (0..channels).map(|channel| sample.mean(channel)).collect();
        for (channel, mean) in sample.channels().zip(means) {
            channel.get_mut(start..start + count).unwrap_or_default().fill(mean);
        }
    }

    fn fits(&self, input: Shape) -> CheckResult {
        if self.steps < input.last() {
            return Ok(());
        }
        Err(CheckError::new("steps is ")
            .number(self.steps)
            .text(", and the series is ")
            .shape(input)
            .text("; expected less than its steps, so that a part of it stays"))
    }
}
