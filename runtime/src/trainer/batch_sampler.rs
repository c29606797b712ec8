//! Selects the samples of each accumulation window.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;

use crate::data::augment::Augmentation;
use crate::data::{Batch, PreparedDataset, ReadAhead};
use crate::error::Result;
use crate::spec::TrainConfig;
use crate::world::World;

use super::run_length::samples_of_an_epoch;

/// The windows of a run in order, read by threads of their own where that takes time.
pub(super) type Windows<'scope, 'env> = ReadAhead<'scope, 'env, Vec<Batch>>;

/// Splits the data into windows of micro-batches, with a new sample order for each pass. Each process of the world reads its share of
/// a window.
///
/// A window is identified by the number of windows before it: the applied steps and the skipped ones, which also use up
/// their samples.
pub(super) struct BatchSampler<'a> {
    world: &'a World,
    settings: &'a TrainConfig,
    data: &'a PreparedDataset,
    /// Windows per pass.
    windows: u64,
    augmentation: Augmentation<'a>,
    /// The order of an even and of an odd pass, each with its number, from 1: windows of two passes may be read at the same time.
    orders: [Mutex<(u64, Arc<[usize]>)>; 2],
}

impl<'a> BatchSampler<'a> {
    pub(super) fn new(
        world: &'a World,
        settings: &'a TrainConfig,
        data: &'a PreparedDataset,
        windows: u64,
    ) -> Result<Self> {
        let orders = [(); 2].map(|()| Mutex::new((0, Arc::default())));
        let augmentation = augmentation(settings, data)?;
        Ok(Self { world, settings, data, windows: windows.max(1), augmentation, orders })
    }

    /// Reads the windows from the one with `count` windows before it.
    pub(super) fn from<'scope>(self, scope: &'scope Scope<'scope, 'a>, count: u64) -> Windows<'scope, 'a> {
        let bytes = self.samples().saturating_mul(self.data.bytes_of_sample());
        let interrupt = self.data.interrupt();
        // Before the time of reading is measured. The first window reports an error.
        let _ = self.order(count / self.windows + 1);
        ReadAhead::new(scope, interrupt, count.., None, bytes, move |count| self.window(count))
    }

    /// The number of samples of a window.
    fn samples(&self) -> usize {
        self.settings.batch.saturating_mul(self.settings.accumulate)
    }

    /// Returns this process's micro-batches of the window with `count` windows before it.
    fn window(&self, count: u64) -> Result<Vec<Batch>> {
        let (pass, number) = (count / self.windows + 1, (count % self.windows) as usize);
        let order = self.order(pass)?;
        let window = order.chunks(self.samples()).nth(number).unwrap_or_default();
        let start = number.saturating_mul(self.samples());
        let own = self.world.share(window.chunks(self.settings.batch).enumerate());
        own.map(|(micro_batch, indices)| {
            // The position in the order of the pass, which does not depend on the size of batches.
            let position = start + micro_batch * self.settings.batch;
            self.data.augmented(indices, &self.augmentation, pass, position)
        })
        .collect()
    }

    /// The samples of a pass, in order.
    fn order(&self, pass: u64) -> Result<Arc<[usize]>> {
        let mut known = self.orders[(pass % 2) as usize].lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 != pass {
            let mut order = self.data.drawn(&*self.settings.sampler, self.settings.seed, pass)?;
            order.truncate(samples_of_an_epoch(self.settings, order.len()));
            *known = (pass, order.into());
        }
        Ok(Arc::clone(&known.1))
    }
}

/// The rules of the key `augment`, checked against the data.
pub(super) fn augmentation<'a>(
    settings: &'a TrainConfig,
    data: &PreparedDataset,
) -> Result<Augmentation<'a>> {
    let ignored: Vec<_> = settings.loss.iter().map(|loss| loss.ignored()).collect();
    Augmentation::new(&settings.augment, settings.seed, data, &ignored)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Elements;
    use crate::data::augment::GaussianNoise;
    use crate::data::sampler::ClassBalanced;
    use crate::fixture;

    /// The inputs of the first two passes, in order.
    fn inputs(batch: &str, accumulate: &str, world: &World) -> Vec<f32> {
        let training = fixture::experiment().set("batch", batch).unwrap();
        let mut training = training.set("accumulate", accumulate).unwrap().with_config(|settings| {
            settings.augment =
                vec![Box::new(GaussianNoise { std: 0.1 }), Box::new(GaussianNoise { std: 0.2 })];
            settings.sampler = Box::new(ClassBalanced);
        });
        let data = training.data().unwrap();
        let settings = training.settings().unwrap();
        let (_, windows) = crate::trainer::length(settings, data.train().len());
        let sampler = BatchSampler::new(world, settings, &data, windows).unwrap();
        let mut all = Vec::new();
        for count in 0..2 * windows {
            for batch in sampler.window(count).unwrap() {
                if let Elements::Float(values) = &batch.inputs[0].elements {
                    all.extend_from_slice(values);
                }
            }
        }
        all
    }

    #[test]
    fn window_contents_do_not_depend_on_batches() {
        let single = World::single();
        let expected = inputs("18", "1", &single);
        assert_eq!(expected.len(), 2 * 18 * 3);
        for (batch, accumulate) in [("4", "1"), ("1", "5"), ("7", "2")] {
            assert_eq!(inputs(batch, accumulate, &single), expected, "{accumulate} times {batch}");
        }
    }

    /// 18 samples in batches of 4 are 5 steps per epoch, or 4 without the last, shorter one. Every batch is then
    /// complete, and each epoch omits other samples.
    #[test]
    fn drop_last_skips_incomplete_batch() {
        let mut training = fixture::experiment().set("drop_last", "true").unwrap();
        let data = training.data().unwrap();
        let settings = training.settings().unwrap();
        assert_eq!(crate::trainer::length(settings, data.train().len()), (12, 4));
        let single = World::single();
        let feed = BatchSampler::new(&single, settings, &data, 4).unwrap();
        for count in 0..8 {
            let window = feed.window(count).unwrap();
            assert_eq!(window.iter().map(|batch| batch.size).collect::<Vec<_>>(), [4], "window {count}");
        }
        let problem = training.set("batch", "20").unwrap().without_folder();
        let problem = problem.set("checkpoint", "null").unwrap().run().unwrap_err().to_string();
        assert!(
            problem.starts_with("drop_last: 18 training samples do not fill a micro-batch of 20"),
            "{problem}"
        );
    }
}
