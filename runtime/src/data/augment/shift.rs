//! Shifts of images.

use serde::{Deserialize, Serialize};

use super::{Affine, Augment, Moves, Sample, Takes, side};
use crate::config::Config;
use crate::data::SampleRng;
use crate::shape::{CheckError, CheckResult, Shape};

/// Moves an image by up to `pixels`, which may be a fraction, in each direction, with bilinear interpolation; what enters is
/// [black](Sample::black). `translate` of torchvision's `RandomAffine`, in pixels. [`RandomCrop`](super::RandomCrop) moves by whole pixels.
///
/// For images `[channels, height, width]`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shift {
    /// The largest distance along each axis, above 0 and less than each side of the image. Required.
    pub pixels: f64,
}

impl Shift {
    /// Checks the range of the key.
    pub const fn check(&self) -> CheckResult {
        if self.pixels > 0.0 && self.pixels.is_finite() {
            return Ok(());
        }
        Err(CheckError::new("pixels is ")
            .float(self.pixels)
            .text("; expected a number above 0, or leave `Shift` out"))
    }
}

impl Config for Shift {
    const NAME: &'static str = "Shift";
    const DEFAULT: Self = Self { pixels: 0.0 };
    const REQUIRED: &'static [(&'static str, &'static str)] =
        &[("pixels", "the largest distance along each axis")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Augment for Shift {
    const TAKES: Takes = Takes::Images;
    const MOVES: Moves = Moves::AcrossEdges;

    fn apply(&self, sample: &mut Sample<'_>, rng: &mut SampleRng) {
        let mut distance = || rng.between(-self.pixels, self.pixels);
        let (rows, columns) = (distance(), distance());
        sample.warp(Affine::shift(rows, columns));
    }

    fn fits(&self, input: Shape) -> CheckResult {
        if self.pixels < side(input) as f64 {
            return Ok(());
        }
        Err(CheckError::new("pixels is ")
            .float(self.pixels)
            .text(", and the image is ")
            .shape(input)
            .text("; expected less than its height and width, so that a part of it stays"))
    }
}
