//! Evaluates a trained model on the data of its run.

use super::{Experiment, Work, memory};
use crate::data::{PreparedDataset, Reads};
use crate::engine;
use crate::error::{Error, Result};
use crate::inference::TrainedModel;
use crate::model::Model;
use crate::trainer;
use crate::trainer::Evaluation;

impl<M: Model> Experiment<M> {
    /// Returns the seed for splitting the data of a trained model: the one that was set, else that of the
    /// model's run, else the declared one. Another seed would evaluate the model on samples it was trained on.
    ///
    /// # Errors
    /// If a rule is violated.
    pub fn split_seed(&mut self, model: &TrainedModel<M>) -> Result<u64> {
        let is_set = self.overrides.iter().any(|(key, _)| key == "seed");
        let seed = self.settings()?.seed;
        Ok(if is_set { seed } else { model.seed().unwrap_or(seed) })
    }

    /// Evaluates a trained model on one part of the data, split and normalized as in its run.
    ///
    /// # Errors
    /// If the data are invalid or do not fit the model, or the part has no samples.
    pub fn evaluate(
        mut self,
        model: &TrainedModel<M>,
        part: fn(&PreparedDataset) -> &[usize],
    ) -> Result<Evaluation> {
        let seed = self.split_seed(model)?;
        let losses = self.settings()?.loss.clone();
        // One part is read once.
        let data = self
            .prepared_with(seed, &losses, Reads::Passes(1))?
            .with_normalizers(model.normalizers().clone())?
            .with_target_normalizers(model.target_normalizers().clone())?;
        if part(&data).is_empty() {
            return Err(Error::Dataset(
                "this part has no samples; evaluate another, or change the split".to_owned(),
            ));
        }
        let graph = self.graph()?;
        let settings = self.settings?;
        let needed = memory::memory(&graph, &settings, part(&data).len(), Work::Evaluate);
        memory::fits(needed, memory::available(&settings))?;
        let mut engine = engine::open_with(&graph, &settings, model.numbers().to_vec())?;
        trainer::evaluate(&mut *engine, &settings, &data, part(&data))
    }
}
