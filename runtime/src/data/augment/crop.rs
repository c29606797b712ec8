//! Crops of padded images.

use serde::{Deserialize, Serialize};

use super::{Augment, Moves, Sample, Takes, side};
use crate::config::Config;
use crate::data::SampleRng;
use crate::shape::{CheckError, CheckResult, Shape};

/// Pads an image with [black](Sample::black) on each side, then crops it to its size at a random place. So it moves by whole pixels, up to
/// `padding` in each direction, all places being equally likely. `RandomCrop(size, padding)` of torchvision.
///
/// For images `[channels, height, width]`.
///
/// # Source
/// He et al. 2016, "Deep Residual Learning for Image Recognition": 4 for CIFAR, with [`FlipHorizontal`](struct@super::FlipHorizontal).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomCrop {
    /// Pixels on each side, at least 1 and less than each side of the image. Required.
    pub padding: usize,
}

impl RandomCrop {
    /// Checks the range of the key.
    pub const fn check(&self) -> CheckResult {
        if self.padding == 0 {
            return Err(CheckError::new("padding is 0; expected at least 1, or leave `RandomCrop` out"));
        }
        Ok(())
    }
}

impl Config for RandomCrop {
    const NAME: &'static str = "RandomCrop";
    const DEFAULT: Self = Self { padding: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("padding", "the number of pixels to pad on each side")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Augment for RandomCrop {
    const TAKES: Takes = Takes::Images;
    const MOVES: Moves = Moves::AcrossEdges;

    fn apply(&self, sample: &mut Sample<'_>, rng: &mut SampleRng) {
        let places = self.padding.saturating_mul(2).saturating_add(1);
        let (down, right) = (rng.below(places), rng.below(places));
        let source = |start: usize, place: usize| (place + start).checked_sub(self.padding);
        sample.move_pixels(|row, column| Some((source(down, row)?, source(right, column)?)));
    }

    fn fits(&self, input: Shape) -> CheckResult {
        if self.padding < side(input) {
            return Ok(());
        }
        Err(CheckError::new("padding is ")
            .number(self.padding)
            .text(", and the image is ")
            .shape(input)
            .text("; expected less than its height and width, so that a part of it stays"))
    }
}
