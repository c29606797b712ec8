//! Selects the samples of each accumulation window.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;

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
    /// The order of an even and of an odd pass, each with its number, from 1: windows of two passes may be read at the same time.
    orders: [Mutex<(u64, Arc<[usize]>)>; 2],
}

impl<'a> BatchSampler<'a> {
    pub(super) fn new(
        world: &'a World,
        settings: &'a TrainConfig,
        data: &'a PreparedDataset,
        windows: u64,
    ) -> Self {
        let orders = [(); 2].map(|()| Mutex::new((0, Arc::default())));
        Self { world, settings, data, windows: windows.max(1), orders }
    }

    /// Reads the windows from the one with `count` windows before it.
    pub(super) fn from<'scope>(self, scope: &'scope Scope<'scope, 'a>, count: u64) -> Windows<'scope, 'a> {
        let bytes = self.samples().saturating_mul(self.data.bytes_of_sample());
        let interrupt = self.data.interrupt();
        // Before the time of reading is measured.
        self.order(count / self.windows + 1);
        ReadAhead::new(scope, interrupt, count.., None, bytes, move |count| self.window(count))
    }

    /// The number of samples of a window.
    fn samples(&self) -> usize {
        self.settings.batch.saturating_mul(self.settings.accumulate)
    }

    /// Returns this process's micro-batches of the window with `count` windows before it.
    fn window(&self, count: u64) -> Result<Vec<Batch>> {
        let order = self.order(count / self.windows + 1);
        let window = order.chunks(self.samples()).nth((count % self.windows) as usize).unwrap_or_default();
        let own = self.world.share(window.chunks(self.settings.batch));
        own.map(|indices| self.data.batch(indices)).collect()
    }

    /// The samples of a pass, in order.
    fn order(&self, pass: u64) -> Arc<[usize]> {
        let mut known = self.orders[(pass % 2) as usize].lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 != pass {
            let mut order = self.data.order(self.settings.seed, pass);
            order.truncate(samples_of_an_epoch(self.settings, order.len()));
            *known = (pass, order.into());
        }
        Arc::clone(&known.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    /// 18 samples in batches of 4 are 5 steps per epoch, or 4 without the last, shorter one. Every batch is then
    /// complete, and each epoch omits other samples.
    #[test]
    fn drop_last_skips_incomplete_batch() {
        let mut training = fixture::experiment().set("drop_last", "true").unwrap();
        let data = training.data().unwrap();
        let settings = training.settings().unwrap();
        assert_eq!(crate::trainer::length(settings, data.train().len()), (12, 4));
        let single = World::single();
        let feed = BatchSampler::new(&single, settings, &data, 4);
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
