//! Running statistics of averaged weights, computed anew from the training samples.

use super::run_length::samples_of_an_epoch;
use crate::data::PreparedDataset;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::layer::Role;
use crate::rng::StepIndex;
use crate::spec::TrainConfig;

/// The running statistics of a model, and their values for the average of its weights.
#[derive(Debug, Default)]
pub(super) struct Statistics {
    /// The place of each among the parameters, and the share of a batch that is left if it starts at 0.
    places: Vec<(usize, f64)>,
    values: Vec<Vec<f32>>,
    /// Whether the values are those of the current average.
    pub(super) is_fresh: bool,
}

impl Statistics {
    /// The statistics of a model; `key` is the key that needs them.
    ///
    /// # Errors
    /// If a layer does not say how it updates them.
    pub(super) fn of(graph: &Graph, key: &str) -> Result<Self> {
        let uses = graph.uses();
        let mut places: Vec<(usize, f64)> = Vec::new();
        for node in &graph.nodes {
            for own in &node.parameters {
                let parameter = &graph.parameters[own.index];
                if parameter.role != Role::Statistic || places.iter().any(|&(place, _)| place == own.index) {
                    continue;
                }
                let Some(update) = node.layer.statistics_update() else {
                    let problem = format!(
                        "`{}` is a running statistic that cannot be computed for averaged weights, since `{}` does not say how it \
                         is updated; remove the key, or use a layer without running statistics, such as `group_norm`",
                        parameter.path,
                        node.layer.name()
                    );
                    return Err(Error::Setting { key: key.to_owned(), problem });
                };
                // A layer that is called several times updates them as often.
                let calls = i32::try_from(uses[own.index]).unwrap_or(i32::MAX);
                places.push((own.index, 1.0 - (1.0 - update).powi(calls)));
            }
        }
        // Those that no batch changes keep their values.
        places.retain(|&(_, share)| share > 0.0);
        let values = places.iter().map(|&(place, _)| vec![0.0; graph.parameters[place].shape.elements()]);
        Ok(Self { values: values.collect(), places, is_fresh: false })
    }

    /// Returns whether there is nothing to compute.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Exchanges the values with those in the engine.
    pub(super) fn swap(&mut self, engine: &mut dyn Engine) -> Result<()> {
        let Self { places, values, .. } = self;
        engine.store_mut().edit(&mut |host| {
            for (&(place, _), values) in places.iter().zip(&mut *values) {
                host.parameters[place].swap_with_slice(values);
            }
        })
    }

    /// Computes the values for the weights in the engine: the average of the statistics of each batch of the training samples, in their
    /// order. The statistics in the engine stay as they are.
    pub(super) fn compute(
        &mut self,
        engine: &mut dyn Engine,
        settings: &TrainConfig,
        data: &PreparedDataset,
    ) -> Result<()> {
        self.is_fresh = false;
        let own: Vec<Vec<f32>> = {
            let weights = engine.store().weights()?;
            self.places.iter().map(|&(place, _)| weights[place].clone()).collect()
        };
        let computed = self.sum(engine, settings, data);
        engine.store_mut().edit(&mut |host| {
            for (&(place, _), own) in self.places.iter().zip(&own) {
                host.parameters[place].copy_from_slice(own);
            }
        })?;
        self.values = computed?;
        self.is_fresh = true;
        Ok(())
    }

    /// Each statistic starts at 0 in each batch, so that a fixed share of that of the batch is left. The draws of dropout do not depend on the
    /// step, so that a resumed run, which computes the statistics anew, has the same ones.
    fn sum(
        &self,
        engine: &mut dyn Engine,
        settings: &TrainConfig,
        data: &PreparedDataset,
    ) -> Result<Vec<Vec<f32>>> {
        let mut sums: Vec<Vec<f64>> = self.values.iter().map(|values| vec![0.0; values.len()]).collect();
        let samples = data.train();
        let samples = &samples[..samples_of_an_epoch(settings, samples.len())];
        let mut batches = 0;
        for indices in samples.chunks(settings.batch.max(1)) {
            data.interrupt().check()?;
            engine.store_mut().edit(&mut |host| {
                for &(place, _) in &self.places {
                    host.parameters[place].fill(0.0);
                }
            })?;
            engine.observe(&data.batch(indices)?, StepIndex { step: 0, micro_batch: batches })?;
            let weights = engine.store().weights()?;
            for (&(place, _), sums) in self.places.iter().zip(&mut sums) {
                for (sum, &value) in sums.iter_mut().zip(&weights[place]) {
                    *sum += f64::from(value);
                }
            }
            batches += 1;
        }
        let of = |(sums, &(_, share)): (&Vec<f64>, &(usize, f64))| {
            sums.iter().map(|sum| (sum / (share * f64::from(batches))) as f32).collect()
        };
        Ok(sums.iter().zip(&self.places).map(of).collect())
    }
}
