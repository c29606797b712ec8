//! Random changes of training samples.
//!
//! The key `augment` of [`train!`](crate::train) is a list of rules, which are applied in order to each sample that is read for a step.
//! Evaluations, predictions, the checks of the data and the fit of the normalization see the samples unchanged.
//!
//! | rule | changes | applies to | source |
//! | --- | --- | --- | --- |
//! | [`FlipHorizontal`](struct@FlipHorizontal), [`FlipVertical`](struct@FlipVertical) | mirrors | images | |
//! | [`RandomCrop`] | pads, then crops to the same size | images | He et al. 2016 |
//! | [`Shift`], [`Scale`], [`Rotate`] | moves, enlarges, rotates, with interpolation | images | Simard et al. 2003 |
//! | [`Brightness`], [`Contrast`], [`ColorJitter`] | changes colors | images | Howard 2013; torchvision |
//! | [`Cutout`] | erases a square | images | `DeVries` & Taylor 2017 |
//! | [`RandAugment`](struct@RandAugment) | some of these, of one strength | images | Cubuk et al. 2020 |
//! | [`TimeMask`] | erases consecutive steps | series | Park et al. 2019 |
//! | [`GaussianNoise`] | adds noise | images, series, features | Bishop 1995 |
//!
//! # Values
//! The rules see the values of the data set, *before* normalization, as torchvision's do before its `Normalize`. So padding is black
//! where 0 is black, and the statistics of the normalization are those of the unchanged samples. [`Sample::black`] and [`Sample::clamp`]
//! use the [`input_range`](crate::Dataset::input_range) of the data, if it is declared: after `.with_input_range(0.0..=1.0)`, values stay
//! between 0 and 1.
//!
//! [Missing values](crate::Dataset::missing_elements) stay missing and [unscaled elements](crate::Dataset::unscaled_elements), such as
//! those of a category, stay what they are. A rule that moves values is rejected for inputs with either.
//!
//! # Random numbers
//! All draws depend only on the run's seed, the pass over the data, the position of the sample in the order of the pass, and the place of
//! the rule in the list. So they depend neither on the batch size, on accumulation, on threads or processes, nor on whether a run was resumed.
//!
//! # Targets
//! A [`ClassMap`](crate::ClassMap) is moved together with its image, by the nearest pixel. Where a rule moves pixels across the edges, the
//! class of the new ones is the `ignore_index` of the loss, without which the rule is rejected. Other targets are left unchanged: a rule must
//! not change what they mean. An upside-down 6 is a 9.
//!
//! # Several inputs
//! For a model with several inputs, the key is a tuple with one list for each: `augment: ([FlipHorizontal], [GaussianNoise { std: 0.1 }])`.
//! The draws of the lists are independent of each other. If a target is a map, the rules for such models must not move pixels.

mod affine;
mod brightness;
mod color;
mod color_jitter;
mod contrast;
mod crop;
mod cutout;
mod flip;
mod gaussian_noise;
mod pipeline;
mod rand_augment;
mod rotate;
mod rule;
mod sample;
mod scale;
mod shift;
mod time_mask;

pub use crate::keys::{Moves, Takes};
pub use affine::Affine;
pub use brightness::Brightness;
pub use color_jitter::ColorJitter;
pub use contrast::Contrast;
pub use crop::RandomCrop;
pub use cutout::Cutout;
pub use flip::{FlipHorizontal, FlipVertical};
pub use gaussian_noise::GaussianNoise;
pub use pipeline::Augmentation;
pub use rand_augment::RandAugment;
pub use rotate::Rotate;
pub use rule::{AnyAugment, Augment};
pub use sample::Sample;
pub use scale::Scale;
pub use shift::Shift;
pub use time_mask::TimeMask;

use crate::shape::{CheckError, CheckResult, Shape};

/// Checks a probability.
const fn check_p(p: f64) -> CheckResult {
    if p >= 0.0 && p <= 1.0 {
        return Ok(());
    }
    Err(CheckError::new("p is ").float(p).text("; expected 0 <= p <= 1"))
}

/// Checks the range of a random factor around 1.
const fn check_by(by: f64) -> CheckResult {
    if by > 0.0 && by.is_finite() {
        return Ok(());
    }
    Err(CheckError::new("by is ").float(by).text("; expected a number above 0, such as 0.2, or leave it out"))
}

/// The smaller side of an image.
fn side(image: Shape) -> usize {
    image.axes().iter().skip(1).copied().min().unwrap_or(0)
}

/// A factor that is uniform from `1 - by`, or 0 if that is below 0, to `1 + by`.
fn factor(by: f64, rng: &mut super::SampleRng) -> f64 {
    rng.between((1.0 - by).max(0.0), 1.0 + by)
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "values that a rule moves or leaves unchanged are exact")]
mod tests;
