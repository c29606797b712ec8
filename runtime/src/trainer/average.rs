//! The exponential moving average (EMA) of the weights over the applied steps of a run.

use crate::error::Result;
use crate::optim::{Ema, ParameterStore, WeightCopy};

/// Starts the average as a copy of the parameters.
pub(super) fn start(store: &mut dyn ParameterStore) -> Result<()> {
    store.copy(WeightCopy::Average)
}

/// Adds the parameters after applied step `t`, counted from 1. Running statistics are copied.
pub(super) fn add(rule: Ema, t: u64, store: &mut dyn ParameterStore) -> Result<()> {
    store.average((1.0 - rule.decay_at(t)) as f32)
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
