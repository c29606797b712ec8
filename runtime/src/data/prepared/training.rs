//! The training samples of a pass: their order, and their augmented batches.

use super::PreparedDataset;
use crate::data::augment::Augmentation;
use crate::data::sampler::{AnySampler, DataPass, TrainingSamples};
use crate::data::{Batch, Elements};
use crate::error::{Error, Result};
use crate::rng::{Purpose, StepIndex, Stream};
use crate::shape::ordinal;

impl PreparedDataset {
    /// The training samples in the order of an epoch, counted from 1: a permutation that depends only on the run's seed and
    /// the epoch.
    pub fn order(&self, seed: u64, epoch: u64) -> Vec<usize> {
        let at = StepIndex { step: epoch, micro_batch: 0 };
        let order = Stream::new(seed, Purpose::Shuffle, "").permutation(at, self.parts.train.len());
        order.into_iter().filter_map(|place| self.parts.train.get(place).copied()).collect()
    }

    /// The training samples that a sampler draws for a pass, counted from 1, in order. There are as many as in the training part, and they depend
    /// only on the run's seed and the pass. [`PreparedDataset::order`] is that of [`Shuffled`](struct@crate::data::sampler::Shuffled).
    ///
    /// # Errors
    /// If the sampler returns another number of samples, or one that does not exist.
    pub fn drawn(&self, sampler: &dyn AnySampler, seed: u64, pass: u64) -> Result<Vec<usize>> {
        let places = sampler.order(&DataPass { samples: TrainingSamples::new(self), number: pass, seed });
        let train = &self.parts.train;
        if places.len() != train.len() {
            return Err(Error::Dataset(format!(
                "the sampler `{}` drew {} samples for a pass; expected {}, as many as there are for training",
                sampler.name(),
                places.len(),
                train.len()
            )));
        }
        let index = |place: usize| {
            train.get(place).copied().ok_or_else(|| {
                Error::Dataset(format!(
                    "the sampler `{}` drew sample {place} (from 0), but there are {} for training",
                    sampler.name(),
                    train.len()
                ))
            })
        };
        places.into_iter().map(index).collect()
    }

    /// Returns the samples with these indices for training: augmented, then normalized. They are those of pass `pass`, from 1, and the first
    /// one is at `position`, from 0, in the order of the pass; both determine the random draws.
    ///
    /// # Errors
    /// As [`PreparedDataset::batch`], or if an augmented value is not finite.
    pub fn augmented(
        &self,
        indices: &[usize],
        augmentation: &Augmentation<'_>,
        pass: u64,
        position: usize,
    ) -> Result<Batch> {
        if augmentation.is_empty() {
            return self.batch(indices);
        }
        let mut batch = self.read(indices)?;
        augmentation.apply(&mut batch, pass, position);
        self.normalize(&mut batch);
        for (input, column) in batch.inputs.iter().enumerate() {
            let Elements::Float(values) = &column.elements else { continue };
            let Some(place) = values.iter().position(|value| !value.is_finite()) else { continue };
            let size = column.shape.elements().max(1);
            return Err(Error::Dataset(format!(
                "sample {} (from 0): element {} of the {} is {} after the augmentation; expected rules whose results are finite",
                indices.get(place / size).copied().unwrap_or_default(),
                place % size,
                ordinal("input", input, batch.inputs.len()),
                values.get(place).copied().unwrap_or_default()
            )));
        }
        Ok(batch)
    }
}
