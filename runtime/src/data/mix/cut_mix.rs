//! `CutMix`: pastes a rectangle of another image.

use serde::{Deserialize, Serialize};

use super::mixup::check_alpha;
use super::{Mix, Samples};
use crate::config::Config;
use crate::data::SampleRng;
use crate::shape::{CheckError, CheckResult, Shape};

/// Trains on images with a rectangle pasted from a partner. The targets are weighted by area.
///
/// There is one rectangle per micro-batch, as in the authors' code: a share is drawn from the beta distribution of `(alpha,
/// alpha)`, the sides are `sqrt(1 - share)` of the image's, rounded down to even numbers of pixels, the center is any
/// pixel, and what lies outside the image is cut off. The share is then adjusted to the exact pixel area.
///
/// For images `[channels, height, width]`.
///
/// # Source
/// Yun et al. 2019, "`CutMix`: Regularization strategy to train strong classifiers with localizable features", who applied it to
/// half of the batches of CIFAR and to all of `ImageNet`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutMix {
    /// The parameter of the Beta(alpha, alpha) distribution of the mixing ratio, above 0; 1 by default, which makes all ratios
    /// equally likely.
    pub alpha: f64,
    /// The fraction of micro-batches that are mixed, from 0 to 1; 0.5 by default.
    pub p: f64,
}

/// [`CutMix`](struct@CutMix) with all defaults.
#[allow(non_upper_case_globals)]
pub const CutMix: CutMix = CutMix::DEFAULT;

impl CutMix {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult {
        if let Err(problem) = check_alpha(self.alpha) {
            return Err(problem);
        }
        if !(self.p >= 0.0 && self.p <= 1.0) {
            return Err(CheckError::new("p is ").float(self.p).text("; expected 0 <= p <= 1"));
        }
        Ok(())
    }
}

impl Config for CutMix {
    const NAME: &'static str = "CutMix";
    const DEFAULT: Self = Self { alpha: 1.0, p: 0.5 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Mix for CutMix {
    fn mix(&self, samples: &mut Samples<'_>, draws: &mut SampleRng) -> f64 {
        let &[_, height, width] = samples.shape.axes() else { return 1.0 };
        if draws.uniform() >= self.p {
            return 1.0;
        }
        let side = (1.0 - draws.beta(self.alpha, self.alpha)).sqrt();
        let mut span = |length: usize| {
            let half = (length as f64 * side) as usize / 2;
            let center = draws.below(length);
            center.saturating_sub(half)..length.min(center + half)
        };
        let (columns, rows) = (span(width), span(height));
        let image = height * width;
        let images = samples.inputs.chunks_mut(image).zip(samples.partners.chunks(image));
        for (image, partner) in images {
            for row in rows.clone() {
                let place = row * width + columns.start..row * width + columns.end;
                image[place.clone()].copy_from_slice(&partner[place]);
            }
        }
        1.0 - (rows.len() * columns.len()) as f64 / image as f64
    }

    fn fits(&self, input: Shape) -> CheckResult {
        if input.rank() == 3 {
            return Ok(());
        }
        Err(CheckError::new("the input is ")
            .shape(input)
            .text("; expected an image [channels, height, width], or use `Mixup`"))
    }
}
