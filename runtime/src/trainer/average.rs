//! The exponential moving average (EMA) of the weights.

use trainspec_kernels::ema::lerp;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::graph::{Graph, GraphParameter};
use crate::optim::Ema;

/// A moving average of a graph's parameters over the applied steps of a run.
pub(super) struct Average {
    rule: Ema,
    /// The averages in the graph's order; running statistics are copied from the last step.
    numbers: Vec<Vec<f32>>,
    /// Which parameters are averaged; the others are copied.
    is_averaged: Vec<bool>,
}

impl Average {
    /// Creates an average that starts as a copy of the engine's parameters.
    pub(super) fn new(rule: Ema, graph: &Graph, engine: &dyn Engine) -> Result<Self> {
        let numbers = engine.numbers()?.into_owned();
        let is_averaged = graph.parameters.iter().map(GraphParameter::is_trained).collect();
        Ok(Self { rule, numbers, is_averaged })
    }

    /// Adds the parameters after applied step `t`, counted from 1.
    pub(super) fn add(&mut self, t: u64, parameters: &[Vec<f32>]) {
        let share = (1.0 - self.rule.decay_at(t)) as f32;
        for ((average, values), is_averaged) in self.numbers.iter_mut().zip(parameters).zip(&self.is_averaged)
        {
            if *is_averaged {
                lerp(average, values, share);
            } else {
                average.copy_from_slice(values);
            }
        }
    }

    /// Restores what [`Average::numbers`] returned.
    pub(super) fn restore(&mut self, numbers: Vec<Vec<f32>>) -> Result<()> {
        if !numbers.iter().map(Vec::len).eq(self.numbers.iter().map(Vec::len)) {
            return Err(Error::Internal("the average of another model"));
        }
        self.numbers = numbers;
        Ok(())
    }

    /// Returns the average in the graph's order.
    pub(super) fn numbers(&self) -> &[Vec<f32>] {
        &self.numbers
    }

    /// Swaps the engine's parameters with the average.
    pub(super) fn swap(&mut self, engine: &mut dyn Engine) -> Result<()> {
        engine.edit(&mut |numbers| {
            for (average, parameter) in self.numbers.iter_mut().zip(numbers.parameters) {
                std::mem::swap(average, parameter);
            }
        })
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
                seen.push((snapshot.step, snapshot.parameters.to_vec(), snapshot.average.unwrap().to_vec()));
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
