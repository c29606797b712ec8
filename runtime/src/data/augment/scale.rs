//! Enlarged and reduced images.

use serde::{Deserialize, Serialize};

use super::{Affine, Augment, Moves, Sample, Takes};
use crate::config::Config;
use crate::data::SampleRng;
use crate::shape::{CheckError, CheckResult};

/// Enlarges an image about its center by a factor that is uniform from `from` to `to`, with bilinear interpolation. Below 1 the image becomes
/// smaller, and the border around it is [black](Sample::black). `scale` of torchvision's `RandomAffine`.
///
/// For images `[channels, height, width]`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// The smallest factor, above 0. Required.
    pub from: f64,
    /// The largest factor, at least `from`. Required.
    pub to: f64,
}

impl Scale {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult {
        if !(self.from > 0.0 && self.from.is_finite()) {
            return Err(CheckError::new("from is ")
                .float(self.from)
                .text("; expected a factor above 0, such as 0.8"));
        }
        if !(self.to >= self.from && self.to.is_finite()) {
            return Err(CheckError::new("to is ")
                .float(self.to)
                .text("; expected a factor of at least `from`, ")
                .float(self.from));
        }
        Ok(())
    }
}

impl Config for Scale {
    const NAME: &'static str = "Scale";
    const DEFAULT: Self = Self { from: 0.0, to: 0.0 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("from", "the smallest factor"), ("to", "the largest factor")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Augment for Scale {
    const TAKES: Takes = Takes::Images;
    const MOVES: Moves = Moves::AcrossEdges;

    fn apply(&self, sample: &mut Sample<'_>, rng: &mut SampleRng) {
        sample.warp(Affine::scale(rng.between(self.from, self.to)));
    }
}
