//! Random brightness.

use serde::{Deserialize, Serialize};

use super::{Augment, Sample, Takes, check_by, factor};
use crate::config::Config;
use crate::data::SampleRng;
use crate::shape::CheckResult;

/// Changes the brightness of an image: multiplies the distance of each value from [black](Sample::black) by a factor that is
/// uniform from `1 - by`, at least 0, to `1 + by`, and limits the values to the declared range: [`Sample::adjust_brightness`].
/// `brightness` of torchvision's `ColorJitter`.
///
/// For images `[channels, height, width]`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brightness {
    /// The largest change of the factor, above 0. Required.
    pub by: f64,
}

impl Brightness {
    /// Checks the range of the key.
    pub const fn check(&self) -> CheckResult {
        check_by(self.by)
    }
}

impl Config for Brightness {
    const NAME: &'static str = "Brightness";
    const DEFAULT: Self = Self { by: 0.0 };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("by", "the largest change of the factor")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Augment for Brightness {
    const TAKES: Takes = Takes::Images;

    fn apply(&self, sample: &mut Sample<'_>, rng: &mut SampleRng) {
        sample.adjust_brightness(factor(self.by, rng));
    }
}
