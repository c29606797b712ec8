//! The second pass of a step with the optimizer `Sam`.

use super::TrainStep;
use crate::data::Batch;
use crate::error::Result;
use crate::optim::WeightCopy;
use crate::trainer::Totals;

impl TrainStep<'_> {
    /// Replaces the gradients of the window by those at perturbed weights, if the optimizer wants that. Weights and running statistics
    /// are then those of after the first pass. A gradient that is 0 or not finite stays: the second half of the step decides on it.
    pub(super) fn sharpen(&mut self, rounds: usize, window: &[Batch], totals: &Totals) -> Result<()> {
        let Some(rho) = self.settings.optimizer.perturbation() else { return Ok(()) };
        self.measure.take(self.engine.store(), 1.0)?;
        let norm = self.measure.norm;
        if !totals.is_finite() || !norm.is_finite() || norm <= 0.0 {
            return Ok(());
        }
        let store = self.engine.store_mut();
        store.copy(WeightCopy::Unperturbed)?;
        store.perturb(rho / norm)?;
        let done = self.accumulate_again(rounds, window);
        self.engine.store_mut().swap(WeightCopy::Unperturbed)?;
        done
    }

    /// The same micro-batches once more, with the same random numbers.
    fn accumulate_again(&mut self, rounds: usize, window: &[Batch]) -> Result<()> {
        self.engine.restart()?;
        self.start_shared()?;
        (0..rounds).try_for_each(|round| self.round(round, window.get(round), None))?;
        self.finish_shared()?;
        self.hold()
    }
}
