//! Erased squares.

use serde::{Deserialize, Serialize};

use super::{Augment, Sample, Takes, side};
use crate::config::Config;
use crate::data::SampleRng;
use crate::shape::{CheckError, CheckResult, Shape};

/// Erases a square of an image, which is replaced by the mean of each channel over the training samples. The center of the square is any pixel,
/// and what lies outside the image is cut off.
///
/// In the paper inputs are normalized by channel first and the square is 0, which is the same.
///
/// For images `[channels, height, width]`. A target that is a map is left unchanged.
///
/// # Source
/// `DeVries` & Taylor 2017, "Improved Regularization of Convolutional Neural Networks with Cutout": 16 for CIFAR-10, 8 for CIFAR-100.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cutout {
    /// The side of the square in pixels, at least 1 and at most each side of the image. Required.
    pub size: usize,
}

impl Cutout {
    /// Checks the range of the key.
    pub const fn check(&self) -> CheckResult {
        if self.size == 0 {
            return Err(CheckError::new("size is 0; expected at least 1, or leave `Cutout` out"));
        }
        Ok(())
    }
}

impl Config for Cutout {
    const NAME: &'static str = "Cutout";
    const DEFAULT: Self = Self { size: 0 };
    const REQUIRED: &'static [(&'static str, &'static str)] = &[("size", "the side of the square in pixels")];
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Augment for Cutout {
    const TAKES: Takes = Takes::Images;

    fn apply(&self, sample: &mut Sample<'_>, rng: &mut SampleRng) {
        let &[channels, height, width] = sample.shape().axes() else { return };
        let mut span = |length: usize| {
            let end = rng.below(length) + self.size.div_ceil(2);
            end.saturating_sub(self.size)..end.min(length)
        };
        let (rows, columns) = (span(height), span(width));
        let means: Vec<f32> = (0..channels).map(|channel| sample.mean(channel)).collect();
        for (channel, mean) in sample.channels().zip(means) {
            for row in channel.chunks_mut(width.max(1)).skip(rows.start).take(rows.len()) {
                row.get_mut(columns.clone()).unwrap_or_default().fill(mean);
            }
        }
    }

    fn fits(&self, input: Shape) -> CheckResult {
        if self.size <= side(input) {
            return Ok(());
        }
        Err(CheckError::new("size is ")
            .number(self.size)
            .text(", and the image is ")
            .shape(input)
            .text("; expected at most its height and width"))
    }
}
