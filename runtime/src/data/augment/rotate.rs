//! Rotated images.

use serde::{Deserialize, Serialize};

use super::{Affine, Augment, Moves, Sample, Takes};
use crate::config::Config;
use crate::data::SampleRng;
use crate::shape::{CheckError, CheckResult};

/// Rotates an image about its center by an angle that is uniform from `-degrees` to `degrees`, with bilinear interpolation; what enters is
/// [black](Sample::black). `RandomRotation` of torchvision.
///
/// For images `[channels, height, width]`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotate {
    /// The largest angle in degrees, above 0 and at most 180. Required.
    pub degrees: f64,
}

impl Rotate {
    /// Checks the range of the key.
    pub const fn check(&self) -> CheckResult {
        if self.degrees > 0.0 && self.degrees <= 180.0 {
            return Ok(());
        }
        Err(CheckError::new("degrees is ")
            .float(self.degrees)
            .text("; expected 0 < degrees <= 180, such as 10 for angles from -10 to 10"))
    }
}

impl Config for Rotate {
    const NAME: &'static str = "Rotate";
    const DEFAULT: Self = Self { degrees: 0.0 };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("degrees", "the largest angle")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Augment for Rotate {
    const TAKES: Takes = Takes::Images;
    const MOVES: Moves = Moves::AcrossEdges;

    fn apply(&self, sample: &mut Sample<'_>, rng: &mut SampleRng) {
        sample.warp(Affine::rotation(rng.between(-self.degrees, self.degrees)));
    }
}
