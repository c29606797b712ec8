//! Early stopping, and the best weights so far.

use candle_core::Tensor;

use super::{Evaluation, Monitored, monitor};
use crate::engine::Engine;
use crate::error::Result;
use crate::metric::Direction;
use crate::spec::{EarlyStop, Settings};

/// Watches the evaluations of a run.
pub(super) struct Watch {
    rule: EarlyStop,
    direction: Direction,
    best: Option<Best>,
    without_improvement: u64,
}

struct Best {
    value: f64,
    epoch: u64,
    parameters: Option<Vec<Tensor>>,
}

impl Watch {
    /// The watch that the settings ask for, if any.
    pub(super) fn new(settings: &Settings) -> Option<Self> {
        let rule = settings.early_stop?;
        let direction = monitor::direction(settings, rule.monitor)?;
        Some(Self { rule, direction, best: None, without_improvement: 0 })
    }

    /// Takes in an evaluation after an epoch; whether it is the best so far.
    pub(super) fn see(
        &mut self,
        evaluation: &Evaluation,
        epoch: u64,
        step: u64,
        engine: &dyn Engine,
    ) -> Result<bool> {
        let value = monitor::value(self.rule.monitor, evaluation, step)?;
        let improves = self.best.as_ref().is_none_or(|best| match self.direction {
            Direction::Lower => value < best.value - self.rule.min_delta,
            Direction::Higher => value > best.value + self.rule.min_delta,
        });
        if improves {
            let parameters = if self.rule.restore_best { Some(engine.parameters()?) } else { None };
            self.best = Some(Best { value, epoch, parameters });
            self.without_improvement = 0;
        } else {
            self.without_improvement += 1;
        }
        Ok(improves)
    }

    /// Whether patience is at its end.
    pub(super) fn is_over(&self) -> bool {
        self.without_improvement >= self.rule.patience
    }

    /// The best evaluation so far, for a checkpoint.
    pub(super) fn state(&self) -> Option<Monitored<'_>> {
        self.best.as_ref().map(|best| Monitored {
            best: best.value,
            best_epoch: best.epoch,
            without_improvement: self.without_improvement,
            parameters: best.parameters.as_deref(),
        })
    }

    /// The best epoch, from 1.
    pub(super) fn best_epoch(&self) -> Option<u64> {
        self.best.as_ref().map(|best| best.epoch)
    }

    /// Gives the engine the best weights back, if that is wanted.
    pub(super) fn restore(&self, engine: &mut dyn Engine) -> Result<()> {
        match self.best.as_ref().and_then(|best| best.parameters.as_ref()) {
            Some(parameters) => engine.set_parameters(parameters),
            None => Ok(()),
        }
    }
}
