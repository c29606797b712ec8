//! Mirrors images.

use serde::{Deserialize, Serialize};

use super::{Augment, Moves, Sample, Takes, check_p};
use crate::config::Config;
use crate::data::SampleRng;
use crate::shape::CheckResult;

/// Mirrors an image left to right with probability `p`. `RandomHorizontalFlip` of torchvision.
///
/// For images `[channels, height, width]`. It must not change the class: letters and digits have a direction.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlipHorizontal {
    /// The fraction of samples that are mirrored, from 0 to 1; 0.5 by default.
    pub p: f64,
}

/// [`FlipHorizontal`](struct@FlipHorizontal) with all defaults.
#[allow(non_upper_case_globals)]
pub const FlipHorizontal: FlipHorizontal = FlipHorizontal::DEFAULT;

impl FlipHorizontal {
    /// Checks the range of the key.
    pub const fn check(&self) -> CheckResult {
        check_p(self.p)
    }
}

impl Config for FlipHorizontal {
    const NAME: &'static str = "FlipHorizontal";
    const DEFAULT: Self = Self { p: 0.5 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Augment for FlipHorizontal {
    const TAKES: Takes = Takes::Images;
    const MOVES: Moves = Moves::Within;

    fn apply(&self, sample: &mut Sample<'_>, rng: &mut SampleRng) {
        let width = sample.shape().last();
        if rng.happens(self.p) {
            sample.move_pixels(|row, column| Some((row, width - 1 - column)));
        }
    }
}

/// Mirrors an image top to bottom with probability `p`. `RandomVerticalFlip` of torchvision.
///
/// For images `[channels, height, width]` without a top, such as those of a microscope.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlipVertical {
    /// The fraction of samples that are mirrored, from 0 to 1; 0.5 by default.
    pub p: f64,
}

/// [`FlipVertical`](struct@FlipVertical) with all defaults.
#[allow(non_upper_case_globals)]
pub const FlipVertical: FlipVertical = FlipVertical::DEFAULT;

impl FlipVertical {
    /// Checks the range of the key.
    pub const fn check(&self) -> CheckResult {
        check_p(self.p)
    }
}

impl Config for FlipVertical {
    const NAME: &'static str = "FlipVertical";
    const DEFAULT: Self = Self { p: 0.5 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Augment for FlipVertical {
    const TAKES: Takes = Takes::Images;
    const MOVES: Moves = Moves::Within;

    fn apply(&self, sample: &mut Sample<'_>, rng: &mut SampleRng) {
        let &[_, height, _] = sample.shape().axes() else { return };
        if rng.happens(self.p) {
            sample.move_pixels(|row, column| Some((height - 1 - row, column)));
        }
    }
}
