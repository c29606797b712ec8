//! `RandAugment`: operations of one strength, at random.

use serde::{Deserialize, Serialize};

use super::{Affine, Augment, Moves, Sample, Takes};
use crate::config::Config;
use crate::data::SampleRng;
use crate::shape::{CheckError, CheckResult};

/// Applies `n` operations, drawn at random with replacement, all of one strength.
///
/// The operations and their largest strengths, at a magnitude of 30, are those of torchvision:
///
/// | operation | strength at 30 |
/// | --- | --- |
/// | none | |
/// | shear across, shear along | 0.3 |
/// | shift across, shift along | 150 / 331 of the width or the height |
/// | rotate | 30 degrees |
/// | brightness, contrast | a factor of 1 - 0.9 or 1 + 0.9 |
/// | saturation, of three channels | the same |
///
/// Strength grows linearly from 0, and either sign is equally likely. Pixels are interpolated bilinearly, and what enters is
/// [black](Sample::black). The paper's sharpness, posterize, solarize, auto-contrast and equalize are not included.
///
/// For images `[channels, height, width]`.
///
/// # Source
/// Cubuk et al. 2020, "`RandAugment`: Practical Automated Data Augmentation with a Reduced Search Space"; ranges of torchvision.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandAugment {
    /// Operations on each sample, at least 1; 2 by default.
    pub n: usize,
    /// The strength, above 0 and at most 30; 9 by default.
    pub magnitude: f64,
}

/// [`RandAugment`](struct@RandAugment) with all defaults.
#[allow(non_upper_case_globals)]
pub const RandAugment: RandAugment = RandAugment::DEFAULT;

impl RandAugment {
    /// The largest magnitude.
    const MOST: f64 = 30.0;

    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult {
        if self.n == 0 {
            return Err(CheckError::new(
                "n is 0; expected at least 1, the number of operations on each sample",
            ));
        }
        if !(self.magnitude > 0.0 && self.magnitude <= Self::MOST) {
            return Err(CheckError::new("magnitude is ")
                .float(self.magnitude)
                .text("; expected 0 < magnitude <= 30"));
        }
        Ok(())
    }
}

impl Config for RandAugment {
    const NAME: &'static str = "RandAugment";
    const DEFAULT: Self = Self { n: 2, magnitude: 9.0 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

/// The operations, of which images without three channels have no saturation.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Operation {
    Identity,
    ShearAcross,
    ShearAlong,
    ShiftAcross,
    ShiftAlong,
    Rotate,
    Brightness,
    Contrast,
    Saturation,
}

impl Operation {
    const ALL: [Self; 9] = [
        Self::Identity,
        Self::ShearAcross,
        Self::ShearAlong,
        Self::ShiftAcross,
        Self::ShiftAlong,
        Self::Rotate,
        Self::Brightness,
        Self::Contrast,
        Self::Saturation,
    ];

    /// Applies it with a strength from -1 to 1.
    fn apply(self, sample: &mut Sample<'_>, strength: f64) {
        let &[_, height, width] = sample.shape().axes() else { return };
        let (shear, shift) = (0.3 * strength, 150.0 / 331.0 * strength);
        match self {
            Self::Identity => {}
            Self::ShearAcross => sample.warp(Affine::shear(shear, 0.0)),
            Self::ShearAlong => sample.warp(Affine::shear(0.0, shear)),
            Self::ShiftAcross => sample.warp(Affine::shift(0.0, shift * width as f64)),
            Self::ShiftAlong => sample.warp(Affine::shift(shift * height as f64, 0.0)),
            Self::Rotate => sample.warp(Affine::rotation(30.0 * strength)),
            Self::Brightness => sample.adjust_brightness(1.0 + 0.9 * strength),
            Self::Contrast => sample.adjust_contrast(1.0 + 0.9 * strength),
            Self::Saturation => sample.adjust_saturation(1.0 + 0.9 * strength),
        }
    }
}

impl Augment for RandAugment {
    const TAKES: Takes = Takes::Images;
    const MOVES: Moves = Moves::AcrossEdges;

    fn apply(&self, sample: &mut Sample<'_>, rng: &mut SampleRng) {
        let colors = usize::from(sample.shape().axes().first() == Some(&3));
        for _ in 0..self.n {
            let operation = Operation::ALL.get(rng.below(Operation::ALL.len() - 1 + colors));
            let sign = if rng.happens(0.5) { 1.0 } else { -1.0 };
            operation.unwrap_or(&Operation::Identity).apply(sample, sign * self.magnitude / Self::MOST);
        }
    }
}
