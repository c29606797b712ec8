//! Selects the samples of each accumulation window.

use crate::data::{Batch, PreparedDataset};
use crate::error::Result;
use crate::spec::TrainConfig;
use crate::world::World;

use super::run_length::samples_of_an_epoch;

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
    /// The pass of `order`, from 1.
    pass: u64,
    order: Vec<usize>,
}

impl<'a> BatchSampler<'a> {
    pub(super) fn new(
        world: &'a World,
        settings: &'a TrainConfig,
        data: &'a PreparedDataset,
        windows: u64,
    ) -> Self {
        Self { world, settings, data, windows: windows.max(1), pass: 0, order: Vec::new() }
    }

    /// Returns this process's micro-batches of the window with `count` windows before it.
    pub(super) fn window(&mut self, count: u64) -> Result<Vec<Batch>> {
        let pass = count / self.windows + 1;
        if pass != self.pass {
            (self.pass, self.order) = (pass, self.data.order(self.settings.seed, pass));
            self.order.truncate(samples_of_an_epoch(self.settings, self.order.len()));
        }
        let samples = self.settings.batch.saturating_mul(self.settings.accumulate);
        let window = self.order.chunks(samples).nth((count % self.windows) as usize).unwrap_or_default();
        let own = self.world.share(window.chunks(self.settings.batch));
        own.map(|indices| self.data.batch(indices)).collect()
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
        let mut feed = BatchSampler::new(&single, settings, &data, 4);
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
