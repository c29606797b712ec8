//! Random brightness, contrast and saturation.

use serde::{Deserialize, Serialize};

use super::{Augment, Sample, Takes, factor};
use crate::config::Config;
use crate::data::SampleRng;
use crate::shape::{CheckError, CheckResult, Shape};

/// Changes brightness, contrast and saturation of an image, in random order, each by a factor that is uniform from `1 - key`, at least 0, to
/// `1 + key`: [`Sample::adjust_brightness`], [`Sample::adjust_contrast`], [`Sample::adjust_saturation`]. Values are limited to the
/// declared range. `ColorJitter` of torchvision, without `hue`.
///
/// For images `[channels, height, width]`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColorJitter {
    /// The largest change of the brightness, at least 0; 0, none, by default.
    pub brightness: f64,
    /// The largest change of the contrast, at least 0; 0 by default.
    pub contrast: f64,
    /// The largest change of the saturation, at least 0; 0 by default. Above 0 only for images with three channels.
    pub saturation: f64,
}

impl ColorJitter {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult {
        let keys =
            [("brightness", self.brightness), ("contrast", self.contrast), ("saturation", self.saturation)];
        let (mut i, mut changes) = (0, false);
        while i < keys.len() {
            let (key, by) = keys[i];
            if !(by >= 0.0 && by.is_finite()) {
                return Err(CheckError::new(key)
                    .text(" is ")
                    .float(by)
                    .text("; expected a number of at least 0, such as 0.2"));
            }
            changes = changes || by > 0.0;
            i += 1;
        }
        if changes {
            return Ok(());
        }
        Err(CheckError::new(
            "all keys are 0, so nothing changes; expected `brightness`, `contrast` or `saturation` above 0, such as 0.2",
        ))
    }
}

impl Config for ColorJitter {
    const NAME: &'static str = "ColorJitter";
    const DEFAULT: Self = Self { brightness: 0.0, contrast: 0.0, saturation: 0.0 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Augment for ColorJitter {
    const TAKES: Takes = Takes::Images;

    fn apply(&self, sample: &mut Sample<'_>, rng: &mut SampleRng) {
        let mut order = [0, 1, 2];
        rng.shuffle(&mut order);
        for change in order {
            let by = [self.brightness, self.contrast, self.saturation][change];
            if by == 0.0 {
                continue;
            }
            let factor = factor(by, rng);
            match change {
                0 => sample.adjust_brightness(factor),
                1 => sample.adjust_contrast(factor),
                _ => sample.adjust_saturation(factor),
            }
        }
    }

    fn fits(&self, input: Shape) -> CheckResult {
        if self.saturation == 0.0 || input.axes().first() == Some(&3) {
            return Ok(());
        }
        Err(CheckError::new("saturation is ")
            .float(self.saturation)
            .text(", but the image ")
            .shape(input)
            .text(" has no colors; expected three channels, or leave `saturation` out"))
    }
}
