//! Which samples each window has.

use crate::data::{Batch, PreparedDataset};
use crate::error::Result;
use crate::spec::TrainConfig;

use super::run_length::samples_of_an_epoch;

/// The data as windows of micro-batches, pass after pass, each pass in an order of its own.
///
/// A window's place is a count of all before it: of the steps that were applied and of those that were skipped, whose
/// samples are used up.
pub(super) struct BatchSampler<'a> {
    settings: &'a TrainConfig,
    data: &'a PreparedDataset,
    /// Windows of a pass.
    windows: u64,
    /// The pass whose order is at hand, from 1.
    pass: u64,
    order: Vec<usize>,
}

impl<'a> BatchSampler<'a> {
    pub(super) fn new(settings: &'a TrainConfig, data: &'a PreparedDataset, windows: u64) -> Self {
        Self { settings, data, windows: windows.max(1), pass: 0, order: Vec::new() }
    }

    /// The window with `count` before it.
    pub(super) fn window(&mut self, count: u64) -> Result<Vec<Batch>> {
        let pass = count / self.windows + 1;
        if pass != self.pass {
            (self.pass, self.order) = (pass, self.data.order(self.settings.seed, pass));
            self.order.truncate(samples_of_an_epoch(self.settings, self.order.len()));
        }
        let samples = self.settings.batch.saturating_mul(self.settings.accumulate);
        let window = self.order.chunks(samples).nth((count % self.windows) as usize).unwrap_or_default();
        window.chunks(self.settings.batch).map(|indices| self.data.batch(indices)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    /// 18 samples in batches of 4 are 5 steps an epoch; without the last, shorter one they are 4. A batch is whole
    /// then, and other samples are left out in other epochs.
    #[test]
    fn an_epoch_can_leave_out_what_fills_no_batch() {
        let mut training = fixture::experiment().set("drop_last", "true").unwrap();
        let data = training.data().unwrap();
        let settings = training.settings().unwrap();
        assert_eq!(crate::trainer::length(settings, data.train().len()), (12, 4));
        let mut feed = BatchSampler::new(settings, &data, 4);
        for count in 0..8 {
            let window = feed.window(count).unwrap();
            assert_eq!(window.iter().map(|batch| batch.size).collect::<Vec<_>>(), [4], "window {count}");
        }
        let problem = training.set("batch", "20").unwrap().without_folder();
        let problem = problem.set("checkpoint", "null").unwrap().run().unwrap_err().to_string();
        assert!(
            problem.starts_with("drop_last: of 18 training samples none fill a micro-batch of 20"),
            "{problem}"
        );
    }
}
