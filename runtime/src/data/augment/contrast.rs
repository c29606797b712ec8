//! Random contrast.

use serde::{Deserialize, Serialize};

use super::{Augment, Sample, Takes, check_by, factor};
use crate::config::Config;
use crate::data::SampleRng;
use crate::shape::CheckResult;

/// Changes the contrast of an image: multiplies the distance of each value from the mean shade of gray of the image by a factor that is
/// uniform from `1 - by`, at least 0, to `1 + by`, and limits the values to the declared range: [`Sample::adjust_contrast`].
/// `contrast` of torchvision's `ColorJitter`.
///
/// For images `[channels, height, width]`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contrast {
    /// The largest change of the factor, above 0. Required.
    pub by: f64,
}

impl Contrast {
    /// Checks the range of the key.
    pub const fn check(&self) -> CheckResult {
        check_by(self.by)
    }
}

impl Config for Contrast {
    const NAME: &'static str = "Contrast";
    const DEFAULT: Self = Self { by: 0.0 };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("by", "the largest change of the factor")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Augment for Contrast {
    const TAKES: Takes = Takes::Images;

    fn apply(&self, sample: &mut Sample<'_>, rng: &mut SampleRng) {
        sample.adjust_contrast(factor(self.by, rng));
    }
}
