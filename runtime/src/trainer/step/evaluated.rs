//! The weights that evaluations use: those that are trained, or their average.

use std::borrow::Cow;

use super::TrainStep;
use crate::data::PreparedDataset;
use crate::engine::Engine;
use crate::error::Result;
use crate::optim::WeightCopy;

impl TrainStep<'_> {
    /// Calls `work` with the weights that evaluations use in the engine: with `ema`, or an optimizer that averages, the average, which is
    /// swapped with the weights for the call. Its running statistics are those of the last [`TrainStep::refresh_statistics`] for
    /// this average, or copies of the current ones.
    ///
    /// # Errors
    /// As `work`, or if the engine rejects the weights.
    pub fn with_evaluation_weights<R>(
        &mut self,
        work: impl FnOnce(&mut dyn Engine) -> Result<R>,
    ) -> Result<R> {
        self.enter()?;
        let result = work(&mut *self.engine);
        self.leave(true)?;
        result
    }

    /// The same at the end of a run: if `work` succeeds, what it leaves in the engine is what [`TrainStep::finish`] leaves there.
    pub(in crate::trainer) fn end_with_evaluation_weights<R>(
        &mut self,
        work: impl FnOnce(&mut dyn Engine) -> Result<R>,
    ) -> Result<R> {
        self.enter()?;
        let result = work(&mut *self.engine);
        self.leave(result.is_err())?;
        // They are in the engine's weights now.
        self.statistics.is_fresh &= result.is_err();
        result
    }

    /// Computes the running statistics of the average from the training samples, if the average needs its own and they are not those of
    /// the current average yet: a forward pass over the training samples.
    ///
    /// # Errors
    /// If a sample cannot be read, or the data's [`Interrupt`](crate::interrupt::Interrupt) is requested.
    pub fn refresh_statistics(&mut self, data: &PreparedDataset) -> Result<()> {
        if self.statistics.is_empty() || self.statistics.is_fresh || !self.is_averaging() {
            return Ok(());
        }
        self.derive()?;
        self.engine.store_mut().swap(WeightCopy::Average)?;
        let computed = self.statistics.compute(&mut *self.engine, self.settings, data);
        self.engine.store_mut().swap(WeightCopy::Average)?;
        computed
    }

    /// Leaves the weights that evaluations use in the engine.
    ///
    /// # Errors
    /// If the engine rejects the weights.
    pub fn finish(mut self) -> Result<()> {
        self.enter()
    }

    /// Returns the average of the parameters and running statistics, in the graph's order, if there is one. Running statistics are copies
    /// of the current ones.
    ///
    /// # Errors
    /// If it cannot be read from the device.
    pub fn average(&self) -> Result<Option<Cow<'_, [Vec<f32>]>>> {
        self.average.map_or(Ok(None), |average| average.values(self.engine.store(), self.k, self.is_derived))
    }

    /// Brings an average that depends on the optimizer's state up to date.
    pub(in crate::trainer) fn derive(&mut self) -> Result<()> {
        if let Some(average) = self.average.filter(|_| !self.is_derived && self.is_averaging()) {
            average.derive(self.engine.store_mut())?;
            self.is_derived = true;
        }
        Ok(())
    }

    /// Returns whether evaluations use an average by now.
    fn is_averaging(&self) -> bool {
        self.average.is_some_and(|average| average.exists_after(self.k))
    }

    /// Swaps the average, with its statistics, into the engine.
    fn enter(&mut self) -> Result<()> {
        self.derive()?;
        if self.is_averaging() {
            self.engine.store_mut().swap(WeightCopy::Average)?;
            self.swap_statistics()?;
        }
        Ok(())
    }

    fn leave(&mut self, with_statistics: bool) -> Result<()> {
        if self.is_averaging() {
            if with_statistics {
                self.swap_statistics()?;
            }
            self.engine.store_mut().swap(WeightCopy::Average)?;
        }
        Ok(())
    }

    fn swap_statistics(&mut self) -> Result<()> {
        if self.statistics.is_fresh { self.statistics.swap(&mut *self.engine) } else { Ok(()) }
    }
}
