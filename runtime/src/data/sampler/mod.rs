//! Which training samples a pass over the data draws.
//!
//! | sampler | draws | source |
//! | --- | --- | --- |
//! | [`Shuffled`](struct@Shuffled) | each sample once; the default | |
//! | [`ClassBalanced`](struct@ClassBalanced) | each class equally often | Buda et al. 2018 |
//! | [`Weighted`](struct@Weighted) | each sample in proportion to its [weight](crate::Dataset::sample_weight) | Madow 1949 |
//!
//! A pass has as many samples as the training part, whatever is drawn: so the number of steps, `drop_last` and schedules do not change. The
//! draws depend only on the run's seed and the pass, so a run can be resumed within an epoch. Evaluations read each sample once.

mod class_balanced;
mod shuffled;
mod weighted;

pub use class_balanced::ClassBalanced;
pub use shuffled::Shuffled;
pub use weighted::Weighted;

use super::{PreparedDataset, SampleRng};
use crate::config::{Config, Setting, with_changes};
use crate::error::{Error, Result};
use crate::rng::{Purpose, StepIndex, Stream};
use crate::shape::CheckResult;

/// A way to draw the training samples of a pass.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use trainspec::data::sampler::{DataPass, Sampler};
/// use trainspec::{CheckResult, Config};
///
/// /// The first half of the samples twice in the first pass: easy samples first.
/// #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
/// pub struct EasyFirst {}
///
/// impl Config for EasyFirst {
///     const NAME: &'static str = "EasyFirst";
///     const DEFAULT: Self = Self {};
///     const CHECK: fn(&Self) -> CheckResult = |_| Ok(());
/// }
///
/// impl Sampler for EasyFirst {
///     fn order(&self, pass: &DataPass<'_>) -> Vec<usize> {
///         let order = pass.shuffled();
///         let half = pass.samples.len().div_ceil(2);
///         if pass.number == 1 { order.into_iter().map(|place| place % half).collect() } else { order }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sampler",
    label = "expected `ClassBalanced` or `Weighted`, or leave the key out to draw each sample once"
)]
pub trait Sampler: Config {
    /// Returns the samples of a pass in order: their places among the training samples, from 0. There must be as many as training samples;
    /// one may occur several times or not at all.
    fn order(&self, pass: &DataPass<'_>) -> Vec<usize>;

    /// Checks before the first step whether the samples can be drawn. All can by default.
    ///
    /// # Errors
    /// If they cannot, with what is expected.
    fn fits(&self, samples: &TrainingSamples<'_>) -> CheckResult {
        let _ = samples;
        Ok(())
    }
}

/// A type-erased sampler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sampler",
    label = "expected `ClassBalanced` or `Weighted`, or leave the key out to draw each sample once"
)]
pub trait AnySampler: Setting {
    /// [`Sampler::order`]
    fn order(&self, pass: &DataPass<'_>) -> Vec<usize>;
    /// [`Sampler::fits`]
    ///
    /// # Errors
    /// As [`Sampler::fits`].
    fn fits(&self, samples: &TrainingSamples<'_>) -> CheckResult;
    /// Returns a copy.
    fn boxed(&self) -> Box<dyn AnySampler>;
    /// Returns the same sampler with changed keys.
    ///
    /// # Errors
    /// If a key or value does not fit.
    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn AnySampler>, String>;
}

#[diagnostic::do_not_recommend]
impl<S: Sampler> AnySampler for S {
    fn order(&self, pass: &DataPass<'_>) -> Vec<usize> {
        Sampler::order(self, pass)
    }

    fn fits(&self, samples: &TrainingSamples<'_>) -> CheckResult {
        Sampler::fits(self, samples).map_err(|problem| problem.of(S::NAME))
    }

    with_changes!(dyn AnySampler);
}

/// A pass over the training samples.
#[derive(Clone, Copy, Debug)]
pub struct DataPass<'a> {
    /// The samples.
    pub samples: TrainingSamples<'a>,
    /// The number of the pass, from 1: the epoch, or more where steps are skipped.
    pub number: u64,
    /// The seed of the run.
    pub seed: u64,
}

impl DataPass<'_> {
    /// The places of all samples in the order of the pass, each once.
    #[must_use]
    pub fn shuffled(&self) -> Vec<usize> {
        let at = StepIndex { step: self.number, micro_batch: 0 };
        Stream::new(self.seed, Purpose::Shuffle, "").permutation(at, self.samples.len())
    }

    /// Random draws of this pass.
    #[must_use]
    pub fn rng(&self) -> SampleRng {
        let at = StepIndex { step: self.number, micro_batch: 0 };
        SampleRng::new(Stream::new(self.seed, Purpose::Sampler, ""), at)
    }
}

/// The training samples of a run, by their places from 0, in the order of the data set.
#[derive(Clone, Copy)]
pub struct TrainingSamples<'a> {
    data: &'a PreparedDataset,
}

impl std::fmt::Debug for TrainingSamples<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrainingSamples").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<'a> TrainingSamples<'a> {
    pub(super) const fn new(data: &'a PreparedDataset) -> Self {
        Self { data }
    }

    /// The number of samples, at least 1.
    #[must_use]
    pub fn len(self) -> usize {
        self.data.train().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.data.train().is_empty()
    }

    /// The class of each sample; `None` if the target is not one class.
    #[must_use]
    pub fn classes(self, target: usize) -> Option<&'a [u32]> {
        self.data.training_classes(target)
    }

    /// The number of targets.
    #[must_use]
    pub fn targets(self) -> usize {
        self.data.target_shapes().len()
    }

    /// The number of samples of each class; `None` if the target is not one class.
    #[must_use]
    pub fn class_counts(self, target: usize) -> Option<&'a [usize]> {
        self.data.class_counts(target)
    }

    /// [`Dataset::sample_weight`](crate::Dataset::sample_weight); NaN if there is no such sample.
    #[must_use]
    pub fn weight(self, place: usize) -> f32 {
        self.data.train().get(place).map_or(f32::NAN, |index| self.data.sample_weight(*index))
    }

    /// The index of a sample in the data set; `None` if there is no such sample.
    #[must_use]
    pub fn index(self, place: usize) -> Option<usize> {
        self.data.train().get(place).copied()
    }
}

/// Checks that a sampler can draw the training samples.
///
/// # Errors
/// If it cannot.
pub(crate) fn check(sampler: &dyn AnySampler, data: &PreparedDataset) -> Result<()> {
    sampler
        .fits(&TrainingSamples::new(data))
        .map_err(|problem| Error::Setting { key: "sampler".to_owned(), problem: problem.to_string() })
}

#[cfg(test)]
mod tests;
