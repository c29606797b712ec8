//! Loss and metrics over samples.

use std::collections::BTreeMap;

use crate::data::{Batch, Prepared};
use crate::engine::{Engine, MicroBatch};
use crate::error::Result;
use crate::spec::Settings;

/// The mean loss and metrics over some samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The mean loss.
    pub loss: f64,
    /// The mean of each metric, by its name.
    pub metrics: BTreeMap<&'static str, f64>,
    /// How many samples.
    pub samples: usize,
}

/// Sums of loss and metrics over micro-batches, each with its weight, so that batches of unequal size count
/// for what they hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// The sum of the loss, and what it is to be divided by.
    pub loss: (f64, f64),
    /// The same of each metric, by its name.
    pub metrics: BTreeMap<&'static str, (f64, f64)>,
    /// How many samples.
    pub samples: usize,
}

impl Totals {
    /// Adds what `engine` just made of `batch`.
    pub(super) fn add(
        &mut self,
        settings: &Settings,
        engine: &dyn Engine,
        part: MicroBatch,
        batch: &Batch,
    ) -> Result<()> {
        self.loss.0 += part.loss;
        self.loss.1 += part.weight;
        self.samples += batch.size;
        if settings.metrics.is_empty() {
            return Ok(());
        }
        let prediction = engine.prediction()?;
        // Of a mixed batch the target that counts for more.
        let target = match &batch.mixed {
            Some(mixed) if mixed.share < 0.5 => &mixed.target,
            _ => &batch.target,
        };
        let target = target.to_tensor(batch.size, prediction.device())?;
        for metric in &settings.metrics {
            let (sum, weight) = metric.measure(&prediction, &target)?;
            let total = self.metrics.entry(metric.label()).or_default();
            total.0 += sum;
            total.1 += weight;
        }
        Ok(())
    }

    pub(super) fn weight(&self) -> f64 {
        self.loss.1
    }

    pub(super) fn mean_loss(&self) -> f64 {
        mean(self.loss)
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.loss.0 += other.loss.0;
        self.loss.1 += other.loss.1;
        self.samples += other.samples;
        for (label, (sum, weight)) in other.metrics {
            let total = self.metrics.entry(label).or_default();
            total.0 += sum;
            total.1 += weight;
        }
    }

    pub(super) fn evaluation(&self) -> Evaluation {
        Evaluation {
            loss: self.mean_loss(),
            metrics: self.metrics.iter().map(|(&label, &total)| (label, mean(total))).collect(),
            samples: self.samples,
        }
    }
}

/// A sum over nothing has the mean 0.
fn mean((sum, weight): (f64, f64)) -> f64 {
    if weight == 0.0 { 0.0 } else { sum / weight }
}

/// Evaluates the model on the samples of these numbers, in their order, each once. Changes no state.
///
/// # Errors
/// If a sample cannot be read or candle refuses an operation.
pub fn evaluate(
    engine: &mut dyn Engine,
    settings: &Settings,
    data: &Prepared,
    indices: &[usize],
) -> Result<Evaluation> {
    let mut totals = Totals::default();
    for indices in indices.chunks(settings.batch.max(1)) {
        let batch = data.batch(indices)?;
        let part = engine.evaluate(&batch)?;
        totals.add(settings, engine, part, &batch)?;
    }
    Ok(totals.evaluation())
}
