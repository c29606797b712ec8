//! The average of the weights that evaluations use: over the applied steps of a run, or that of an optimizer.

use std::borrow::Cow;

use super::RunPlan;
use crate::error::{Error, Result};
use crate::optim::{Average, AveragePoint, ParameterStore, WeightCopy};
use crate::spec::TrainConfig;

/// The weights that evaluations use instead of those that are trained.
#[derive(Clone, Copy, Debug)]
pub(super) struct WeightAverage {
    rule: Rule,
    /// Steps of an epoch.
    epoch: u64,
}

#[derive(Clone, Copy, Debug)]
enum Rule {
    /// The key `ema`.
    Kept(Average),
    /// A point between the weights and a part of the optimizer's state.
    Derived(AveragePoint),
}

impl WeightAverage {
    /// The average of a run, if it has one.
    ///
    /// # Errors
    /// If the run ends before its average starts.
    pub(super) fn of(settings: &TrainConfig, plan: &RunPlan) -> Result<Option<Self>> {
        let epoch = plan.steps_per_epoch.max(1);
        if let Some(point) = settings.optimizer.average() {
            return Ok(Some(Self { rule: Rule::Derived(point), epoch }));
        }
        if let Some(Average::Swa(swa)) = settings.ema
            && swa.count(plan.steps, epoch) == 0
        {
            let problem = format!(
                "the average starts after {} steps, but the run has {}; use an earlier `start`, or a longer run",
                swa.start.in_steps(epoch),
                plan.steps
            );
            return Err(Error::Setting { key: "ema.start".to_owned(), problem });
        }
        Ok(settings.ema.map(|average| Self { rule: Rule::Kept(average), epoch }))
    }

    /// The key that declares it.
    pub(super) fn key(&self) -> &'static str {
        match self.rule {
            Rule::Kept(_) => "ema",
            Rule::Derived(_) => "optimizer",
        }
    }

    /// Returns whether there is an average after `k` steps.
    pub(super) fn exists_after(&self, k: u64) -> bool {
        match self.rule {
            Rule::Kept(Average::Swa(swa)) => swa.count(k, self.epoch) > 0,
            Rule::Kept(Average::Ema(_)) => true,
            Rule::Derived(_) => k > 0,
        }
    }

    /// Returns whether a checkpoint after `k` steps must have the average, which cannot be computed from the rest of it.
    pub(super) fn is_saved_after(&self, k: u64) -> bool {
        matches!(self.rule, Rule::Kept(_)) && self.exists_after(k)
    }

    /// Returns whether the running statistics are computed anew for it. An exponential average has copies of the current ones, since it
    /// follows the weights closely.
    pub(super) fn needs_statistics(&self) -> bool {
        !matches!(self.rule, Rule::Kept(Average::Ema(_)))
    }

    /// Adds the parameters after applied step `t`, counted from 1. Running statistics are copied. Returns whether the average has changed.
    pub(super) fn add(&self, t: u64, store: &mut dyn ParameterStore) -> Result<bool> {
        let share = match self.rule {
            Rule::Kept(Average::Ema(ema)) => 1.0 - ema.decay_at(t),
            Rule::Kept(Average::Swa(swa)) if swa.is_due(t, self.epoch) => {
                1.0 / swa.count(t, self.epoch) as f64
            }
            Rule::Kept(Average::Swa(_)) => return Ok(false),
            Rule::Derived(_) => return Ok(true),
        };
        store.average(share as f32)?;
        Ok(true)
    }

    /// Computes an average that is derived from the optimizer's state.
    pub(super) fn derive(&self, store: &mut dyn ParameterStore) -> Result<()> {
        match self.rule {
            Rule::Kept(_) => Ok(()),
            Rule::Derived(AveragePoint { slot, share }) => store.derive_average(slot, share as f32),
        }
    }

    /// Returns the average after `k` steps, which is derived here unless it `is_derived`.
    pub(super) fn values<'s>(
        &self,
        store: &'s dyn ParameterStore,
        k: u64,
        is_derived: bool,
    ) -> Result<Option<Cow<'s, [Vec<f32>]>>> {
        match self.rule {
            _ if !self.exists_after(k) => Ok(None),
            Rule::Derived(AveragePoint { slot, share }) if !is_derived => {
                let (mut values, state) = (store.weights()?.into_owned(), store.optimizer_state()?);
                for (values, state) in values.iter_mut().zip(&*state) {
                    if let Some(state) = state.get(slot).filter(|state| !state.is_empty()) {
                        trainspec_kernels::ema::lerp(values, state, share as f32);
                    }
                }
                Ok(Some(values.into()))
            }
            _ => store.copied(WeightCopy::Average),
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use crate::fixture;
    use crate::trainer::{Event, Exit};

    type Numbers = Vec<Vec<f32>>;

    fn numbers(tensors: &[Tensor]) -> Numbers {
        tensors.iter().map(|tensor| tensor.flatten_all().unwrap().to_vec1().unwrap()).collect()
    }

    /// Runs with these keys. Returns the weights and averages of its checkpoints, its final weights and its outcome.
    fn run(keys: &[(&str, &str)]) -> (Vec<(u64, Numbers, Numbers)>, Numbers, crate::trainer::Outcome) {
        let out = tempfile::tempdir().unwrap();
        let mut training = fixture::experiment().out(out.path());
        for (key, value) in keys {
            training = training.set(key, value).unwrap();
        }
        let mut seen = Vec::new();
        let mut look = |event: &Event<'_>| {
            if let Event::Checkpoint(snapshot) = event {
                seen.push((
                    snapshot.step,
                    snapshot.parameters.to_vec(),
                    snapshot.average.as_deref().unwrap().to_vec(),
                ));
            }
            Ok(())
        };
        let run = training.run_with(&mut look).unwrap();
        let ends: Vec<_> = run.model.parameters().map(|(_, tensor)| tensor.clone()).collect();
        (seen, numbers(&ends), run.outcome)
    }

    const HALF: (&str, &str) = ("ema", r#"{ "decay": 0.5, "half_life": 0.0, "warmup": false }"#);

    /// Halves are exact except for the rounding of the difference and the sum, of values below 2.
    #[test]
    fn run_ends_with_average_of_its_steps() {
        let (seen, ends, _) = run(&[HALF, ("checkpoint.every", r#"{ "Steps": 1 }"#), ("accumulate", "2")]);
        assert_eq!(seen.len(), 9, "three steps per epoch");
        let mut expected = numbers(&crate::engine::initial(&fixture::graph(), 0, &Device::Cpu).unwrap());
        for (step, raw, average) in &seen {
            for ((expected, raw), average) in expected.iter_mut().zip(raw).zip(average) {
                for ((expected, raw), average) in expected.iter_mut().zip(raw).zip(average) {
                    let exact = f64::midpoint(f64::from(*expected), f64::from(*raw));
                    let error = (f64::from(*average) - exact).abs();
                    assert!(error <= 2.0 * f64::from(f32::EPSILON), "step {step}: {average}, not {exact}");
                    *expected = *average;
                }
            }
            assert_ne!(raw, average, "training continues with the raw weights");
        }
        assert_eq!(ends, expected);
    }

    /// The learning rate is so high that the validation loss rises: the best weights are the average at the best epoch.
    #[test]
    fn best_weights_are_averaged_weights() {
        let stop = r#"{ "monitor": "val_loss", "patience": 2, "min_delta": 0.0, "restore_best": true }"#;
        let keys = [HALF, ("early_stop", stop), ("epochs", "30"), ("optimizer.lr", "3.0")];
        let (seen, ends, outcome) = run(&keys);
        let Exit::StoppedEarly { best_epoch } = outcome.exit else { panic!("{outcome:?}") };
        assert_eq!(outcome.epochs, best_epoch + 2);
        let (_, raw, average) = &seen[best_epoch as usize - 1];
        assert_eq!((&ends, &ends == raw), (average, false));
    }
}
