//! The micro-batches of a step on several processes, and the sum of their gradients.

use super::TrainStep;
use crate::data::Batch;
use crate::error::{Error, Result};
use crate::layer::Role;
use crate::rng::StepIndex;
use crate::shape::Few;
use crate::trainer::Totals;
use crate::trainer::batch_result::{BatchResult, Read, for_each_result};
use crate::world::World;

impl TrainStep<'_> {
    /// Shares the micro-batches of each step with the other processes of a world. All of them take the same step.
    ///
    /// # Errors
    /// If there are several processes and the model has running statistics, as batch norm does: every micro-batch changes
    /// them in turn.
    pub fn in_world(mut self, world: &World) -> Result<Self> {
        if !world.is_single()
            && let Some(statistic) =
                self.graph.parameters.iter().find(|parameter| parameter.role == Role::Statistic)
        {
            return Err(Error::Rule(format!(
                "`{}` is a running statistic, which several processes cannot share; train with one process, or use \
                 `group_norm` or `layer_norm`",
                statistic.path
            )));
        }
        self.world = world.clone();
        Ok(self)
    }

    /// Accumulates one micro-batch on each process that has one left, and adds its result to `totals`, if there are any.
    pub(super) fn round(
        &mut self,
        round: usize,
        batch: Option<&Batch>,
        mut totals: Option<&mut Totals>,
    ) -> Result<()> {
        let at = StepIndex { step: self.k, micro_batch: self.world.micro_batch(round) };
        let several = !self.world.is_single();
        let read = Read {
            predictions: totals.is_some() && !self.settings.metrics.is_empty(),
            tokens: several && self.settings.optimizer.is_sparse(),
        };
        let (engine, interrupt, scales) = (&mut *self.engine, &self.interrupt, &self.scales);
        let mut compute = |batch| {
            interrupt.check()?;
            if several && round > 0 {
                engine.open_window(&[])?;
                engine.store_mut().clear()?;
            }
            engine.accumulate_scaled(batch, at, scales)
        };
        let part = batch.map(|batch| Ok((compute(batch)?, batch))).transpose();
        let shapes = self.settings.loss.iter().enumerate();
        let shapes: Few<_> = shapes.map(|(output, _)| self.engine.prediction_shape(output)).collect();
        let own = part.and_then(|part| {
            part.map(|(part, batch)| BatchResult::of(&*self.engine, part, batch, read, &self.units))
                .transpose()
        });
        let mut tokens: Vec<Vec<u32>> = Vec::new();
        for_each_result(&self.world, &shapes, own, |result| {
            for (input, read) in result.tokens.iter().enumerate() {
                if tokens.len() == input {
                    tokens.push(Vec::new());
                }
                tokens[input].extend_from_slice(read);
            }
            totals.as_deref_mut().map_or(Ok(()), |totals| totals.add(result))
        })?;
        if several {
            self.engine.store_mut().add_to_sum(&self.world, batch.is_some())?;
            self.engine.open_window(&tokens)?;
        }
        Ok(())
    }

    /// Starts the sum of gradients over all processes, if there are several.
    pub(super) fn start_shared(&mut self) -> Result<()> {
        if self.world.is_single() { Ok(()) } else { self.engine.store_mut().begin_sum() }
    }

    /// Writes the sum of gradients over all processes to the engine, if there are several.
    pub(super) fn finish_shared(&mut self) -> Result<()> {
        if self.world.is_single() {
            return Ok(());
        }
        self.engine.open_window(&[])?;
        self.engine.store_mut().finish_sum()
    }
}
