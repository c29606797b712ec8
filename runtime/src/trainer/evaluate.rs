//! Loss and metrics over samples.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::StepMetrics;
use super::batch_result::{BatchResult, Read, for_each_result};
use crate::data::PreparedDataset;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::metric::{Accumulator, Confusion, Outcomes};
use crate::shape::Elements;
use crate::spec::TrainConfig;
use crate::world::World;

/// The mean loss and metrics over some samples.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Evaluation {
    /// The mean loss; NaN, shown as `-`, if no sample counts.
    pub loss: f64,
    /// The value of each metric by name; NaN if it is not defined on these samples.
    pub metrics: BTreeMap<&'static str, f64>,
    /// The confusion matrix, if [`ConfusionMatrix`](struct@crate::metric::ConfusionMatrix) is among the
    /// metrics.
    pub confusion: Option<Confusion>,
    /// The number of samples.
    pub samples: usize,
}

/// The sum of the loss with its weight and the states of the metrics over micro-batches, so that batches of
/// unequal size are weighted correctly.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Totals {
    /// The sum of the loss and the sum of its weights.
    pub loss: (f64, f64),
    /// The metrics with their states.
    pub metrics: Vec<Box<dyn Accumulator>>,
    /// The number of samples.
    pub samples: usize,
    /// The target that the loss and the metrics ignore.
    ignored: Option<u32>,
}

impl Totals {
    /// Creates totals over no samples.
    #[must_use]
    pub fn new(settings: &TrainConfig) -> Self {
        let metrics = settings.metrics.iter().map(|metric| metric.start()).collect();
        Self { metrics, ignored: settings.loss.ignored(), ..Self::default() }
    }

    /// Clears the totals and keeps the memory.
    pub(super) fn clear(&mut self) {
        (self.loss, self.samples) = ((0.0, 0.0), 0);
        self.metrics.iter_mut().for_each(|metric| metric.clear());
    }

    /// Adds the result of a micro-batch.
    pub(super) fn add(&mut self, result: &BatchResult<'_>) -> Result<()> {
        let BatchResult { part, size, shape, predictions, targets, .. } = result;
        self.loss.0 += part.loss;
        self.loss.1 += part.weight;
        self.samples += size;
        let ignored = self.ignored;
        self.metrics
            .iter_mut()
            .try_for_each(|metric| metric.update(*size, *shape, predictions, targets, ignored))
    }

    /// Returns the number of samples.
    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    pub(super) fn weight(&self) -> f64 {
        self.loss.1
    }

    /// Returns the mean loss; NaN if the weight is 0.
    pub(super) fn mean_loss(&self) -> f64 {
        let (sum, weight) = self.loss;
        if weight == 0.0 { f64::NAN } else { sum / weight }
    }

    /// Returns whether the loss is finite, or undefined because no sample counts.
    pub(super) fn is_finite(&self) -> bool {
        let (sum, weight) = self.loss;
        if weight == 0.0 { sum.is_finite() } else { (sum / weight).is_finite() }
    }

    /// Returns each metric with a scalar value.
    pub(super) fn measures(&self) -> StepMetrics {
        let mut measures = StepMetrics::default();
        for metric in &self.metrics {
            if metric.table().is_none() {
                measures.push(metric.label(), metric.value());
            }
        }
        measures
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.loss.0 += other.loss.0;
        self.loss.1 += other.loss.1;
        self.samples += other.samples;
        for (metric, other) in self.metrics.iter_mut().zip(&other.metrics) {
            metric.merge(&**other);
        }
    }

    pub(super) fn evaluation(&self) -> Evaluation {
        Evaluation {
            loss: self.mean_loss(),
            metrics: self.measures().iter().collect(),
            confusion: self.metrics.iter().find_map(|metric| metric.table()).cloned(),
            samples: self.samples,
        }
    }

    /// Converts the totals to JSON for a checkpoint. [`Totals::restored`] restores them bit for bit.
    ///
    /// # Errors
    /// If a metric's state cannot be written as JSON.
    pub fn to_json(&self) -> Result<Value> {
        let metrics: serde_json::Map<_, _> = self
            .metrics
            .iter()
            .map(|metric| Ok((metric.label().to_owned(), metric.to_json()?)))
            .collect::<Result<_>>()?;
        Ok(json!({ "loss": self.loss, "metrics": metrics, "samples": self.samples }))
    }

    /// Restores the totals of a checkpoint for a run with these settings.
    ///
    /// # Errors
    /// If they do not match the run's metrics.
    pub fn restored(settings: &TrainConfig, json: &Value) -> Result<Self> {
        let fault = |key: &str, problem: &str| Error::Setting {
            key: format!("totals.{key}"),
            problem: problem.to_owned(),
        };
        let of = |key: &str| json.get(key).cloned().unwrap_or(Value::Null);
        let mut totals = Self::new(settings);
        totals.loss =
            serde_json::from_value(of("loss")).map_err(|_| fault("loss", "expected a sum and a weight"))?;
        totals.samples =
            serde_json::from_value(of("samples")).map_err(|_| fault("samples", "expected a count"))?;
        let states = of("metrics");
        if largest(&states).max(totals.samples as u64) > MOST {
            return Err(fault("metrics", "a count is too large for a run"));
        }
        for metric in &mut totals.metrics {
            let missing = || fault("metrics", &format!("there is no state of `{}`", metric.label()));
            let state = states.get(metric.label()).ok_or_else(missing)?;
            metric.restore(state)?;
        }
        Ok(totals)
    }
}

/// Larger than any real count, and small enough that sums of such counts do not overflow.
const MOST: u64 = 1 << 53;

/// Returns the largest integer in a JSON value.
fn largest(json: &Value) -> u64 {
    match json {
        Value::Array(list) => list.iter().map(largest).max().unwrap_or(0),
        Value::Object(keys) => keys.values().map(largest).max().unwrap_or(0),
        other => other.as_u64().unwrap_or(0),
    }
}

/// Evaluates the model on the samples with these indices, in order, each once. Changes no state.
///
/// # Errors
/// If a sample cannot be read or candle rejects an operation.
pub fn evaluate(
    engine: &mut dyn Engine,
    settings: &TrainConfig,
    data: &PreparedDataset,
    indices: &[usize],
) -> Result<Evaluation> {
    evaluate_in(&World::single(), engine, settings, data, indices)
}

/// Like [`evaluate`], with the batches shared by the processes of a world. Every process returns the same.
///
/// # Errors
/// As [`evaluate`], or if another process fails.
pub fn evaluate_in(
    world: &World,
    engine: &mut dyn Engine,
    settings: &TrainConfig,
    data: &PreparedDataset,
    indices: &[usize],
) -> Result<Evaluation> {
    let read = Read { predictions: !settings.metrics.is_empty(), tokens: false };
    each(world, engine, (settings, data, indices), read, |_| Ok(()))
}

/// Like [`evaluate`], and computes the confusion matrix in the same pass, whether it is declared or not. It is `None`
/// if the targets are not classes, the model does not have an output for each class, or there are more than
/// [`Confusion::MAX_CLASSES`].
pub(super) fn examine(
    world: &World,
    engine: &mut dyn Engine,
    settings: &TrainConfig,
    data: &PreparedDataset,
    indices: &[usize],
) -> Result<(Evaluation, Option<Confusion>)> {
    let (target, shape) = (data.target_shape(), engine.prediction_shape());
    let classes =
        target.vocabulary().filter(|&classes| target.rank() == 0 && classes <= Confusion::MAX_CLASSES);
    // A custom loss may compare classes with other outputs.
    let mut confusion = classes.filter(|&classes| shape.axes() == [classes]).map(|_| Confusion::default());
    let read = Read { predictions: !settings.metrics.is_empty() || confusion.is_some(), tokens: false };
    let evaluation = each(world, engine, (settings, data, indices), read, |result| {
        if let (Some(confusion), Elements::Int(targets)) = (&mut confusion, &*result.targets) {
            let (size, predictions, ignored) = (result.size, &*result.predictions, settings.loss.ignored());
            confusion.update(&Outcomes { size, shape, predictions, targets, ignored });
        }
        Ok(())
    })?;
    Ok((evaluation, confusion))
}

/// Evaluates the batches in rounds of one for each process.
fn each(
    world: &World,
    engine: &mut dyn Engine,
    (settings, data, indices): (&TrainConfig, &PreparedDataset, &[usize]),
    read: Read,
    mut look: impl FnMut(&BatchResult<'_>) -> Result<()>,
) -> Result<Evaluation> {
    let mut totals = Totals::new(settings);
    let size = settings.batch.max(1);
    for round in indices.chunks(size.saturating_mul(world.size())) {
        let shape = engine.prediction_shape();
        let batch;
        let own = match world.share(round.chunks(size)).next().map(|indices| data.batch(indices)) {
            None => Ok(None),
            Some(Err(error)) => Err(error),
            Some(Ok(read_batch)) => {
                batch = read_batch;
                let part = engine.evaluate(&batch);
                part.and_then(|part| BatchResult::of(engine, part, &batch, read)).map(Some)
            }
        };
        for_each_result(world, shape, own, |result| {
            totals.add(result)?;
            look(result)
        })?;
    }
    Ok(totals.evaluation())
}
