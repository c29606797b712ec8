//! Early stopping and the best weights so far.

use super::{Evaluation, Monitored, SavedBest, monitor};
use crate::error::{Error, Result};
use crate::metric::Direction;
use crate::optim::{ParameterStore, WeightCopy};
use crate::spec::{EarlyStop, TrainConfig};

/// Watches the evaluations of a run.
pub(super) struct EarlyStopping {
    rule: EarlyStop,
    direction: Direction,
    best: Option<Best>,
    without_improvement: u64,
}

struct Best {
    value: f64,
    epoch: u64,
}

impl EarlyStopping {
    /// Creates early stopping if the settings have it.
    pub(super) fn new(settings: &TrainConfig) -> Option<Self> {
        let rule = settings.early_stop?;
        let direction = monitor::direction(settings, rule.monitor)?;
        Some(Self { rule, direction, best: None, without_improvement: 0 })
    }

    /// Adds the evaluation after an epoch. Returns whether it is the best so far; then a run that restores the best weights keeps those
    /// of the store.
    pub(super) fn see(
        &mut self,
        evaluation: &Evaluation,
        epoch: u64,
        step: u64,
        store: &mut dyn ParameterStore,
    ) -> Result<bool> {
        let value = monitor::value(self.rule.monitor, evaluation, step)?;
        let improves = self.best.as_ref().is_none_or(|best| match self.direction {
            Direction::Lower => value < best.value - self.rule.min_delta,
            Direction::Higher => value > best.value + self.rule.min_delta,
        });
        if improves {
            if self.rule.restore_best {
                store.copy(WeightCopy::Best)?;
            }
            self.best = Some(Best { value, epoch });
            self.without_improvement = 0;
        } else {
            self.without_improvement += 1;
        }
        Ok(improves)
    }

    /// Returns whether the patience is exhausted.
    pub(super) fn is_over(&self) -> bool {
        self.without_improvement >= self.rule.patience
    }

    /// Returns the best evaluation so far, for a checkpoint.
    pub(super) fn state<'a>(&self, store: &'a dyn ParameterStore) -> Result<Option<Monitored<'a>>> {
        let Some(best) = &self.best else { return Ok(None) };
        Ok(Some(Monitored {
            best: best.value,
            best_epoch: best.epoch,
            without_improvement: self.without_improvement,
            parameters: if self.rule.restore_best { store.copied(WeightCopy::Best)? } else { None },
        }))
    }

    /// Restores what [`EarlyStopping::state`] returned, except for the weights, which are in the store.
    pub(super) fn restore(&mut self, saved: Option<&SavedBest>) -> Result<()> {
        let Some(&SavedBest { best: value, best_epoch: epoch, without_improvement, ref parameters }) = saved
        else {
            return Ok(());
        };
        if self.rule.restore_best && parameters.is_none() {
            return Err(Error::Setting {
                key: "early_stop.restore_best".to_owned(),
                problem: "the checkpoint has no best weights; set `early_stop.restore_best` to false"
                    .to_owned(),
            });
        }
        self.best = Some(Best { value, epoch });
        self.without_improvement = without_improvement;
        Ok(())
    }

    /// Returns the best epoch, from 1.
    pub(super) fn best_epoch(&self) -> Option<u64> {
        self.best.as_ref().map(|best| best.epoch)
    }

    /// Returns whether the run restores the weights of the best epoch at its end.
    pub(super) fn restores(&self) -> bool {
        self.rule.restore_best && self.best.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::fixture;

    /// Returns for each value whether it is the best so far, and whether the run stops.
    fn watch(monitor: &str, patience: u64, min_delta: f64, values: &[f64]) -> Result<Vec<(bool, bool)>> {
        let stop = format!(
            r#"{{ "monitor": "{monitor}", "patience": {patience}, "min_delta": {min_delta}, "restore_best": true }}"#
        );
        let mut training = fixture::experiment().set("early_stop", &stop)?;
        let graph = training.graph()?;
        let settings = training.settings()?;
        let mut engine = crate::engine::open(&graph, settings)?;
        let mut watch = EarlyStopping::new(settings).unwrap();
        let see = |(epoch, &value): (u64, &f64)| {
            let metrics = BTreeMap::from([("accuracy", value)]);
            let best = watch.see(
                &Evaluation { loss: value, metrics, samples: 1, confusion: None },
                epoch,
                epoch,
                engine.store_mut(),
            )?;
            Ok((best, watch.is_over()))
        };
        (1..).zip(values).map(see).collect()
    }

    const BEST: (bool, bool) = (true, false);
    const WORSE: (bool, bool) = (false, false);
    const END: (bool, bool) = (false, true);

    #[test]
    fn patience_counts_consecutive_evaluations_without_improvement() {
        let found = watch("val_loss", 3, 0.0, &[1.0, 1.0, 1.5, 0.9, 0.9, 2.0, 0.95]).unwrap();
        assert_eq!(found, [BEST, WORSE, WORSE, BEST, WORSE, WORSE, END]);
        assert_eq!(watch("val_loss", 1, 0.0, &[1.0, 1.0]).unwrap(), [BEST, END]);
    }

    /// Powers of two, so that the differences are exact. Each value is compared with the best one.
    #[test]
    fn improvement_must_exceed_min_delta() {
        let found = watch("val_loss", 9, 0.25, &[1.0, 0.75, 0.875, 0.625, 0.375, 0.25]).unwrap();
        assert_eq!(found, [BEST, WORSE, WORSE, BEST, WORSE, BEST].map(|(best, _)| (best, false)));
    }

    #[test]
    fn direction_follows_the_metric() {
        let found = watch("val_accuracy", 2, 0.0, &[0.5, 0.75, 0.75, 0.5]).unwrap();
        assert_eq!(found, [BEST, BEST, WORSE, END]);
    }

    #[test]
    fn nan_monitor_stops_with_error() {
        let problem = watch("val_loss", 2, 0.0, &[1.0, f64::NAN]).unwrap_err().to_string();
        assert_eq!(problem, "step 2: the monitored `loss` of the validation data is NaN");
        assert_eq!(watch("val_loss", 2, 0.0, &[f64::INFINITY, 1.0]).unwrap(), [BEST, BEST]);
    }
}
