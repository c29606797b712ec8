//! Loss and metrics over samples.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::StepMetrics;
use super::batch_result::{BatchResult, Read, for_each_result};
use crate::data::{Batch, PreparedDataset, ReadAhead};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::metric::{Accumulator, Confusion, Outcomes};
use crate::shape::{Elements, Few, Shape};
use crate::spec::TrainConfig;
use crate::world::World;

/// The mean loss and metrics over some samples.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Evaluation {
    /// The mean loss; NaN, shown as `-`, if no sample counts. If the targets are
    /// [normalized](crate::data::Dataset::with_target_normalization), it is the loss of these.
    pub loss: f64,
    /// The value of each metric by name, in the units of the data; NaN if it is not defined on these samples.
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
    /// The loss of each output.
    pub losses: Vec<TotalLoss>,
    /// The metrics with their states.
    pub metrics: Vec<Box<dyn Accumulator>>,
    /// The number of samples.
    pub samples: usize,
    /// The index of each metric's output.
    outputs: Vec<usize>,
}

/// The loss of one output over micro-batches.
#[derive(Clone, Debug)]
pub struct TotalLoss {
    /// The sum of the loss.
    pub sum: f64,
    /// The sum of its weights.
    pub weight: f64,
    /// The weight of the output in the loss of the model.
    factor: f64,
    /// The target that the loss and the metrics ignore.
    ignored: Option<u32>,
    /// Its name in logs; none if it is the only one.
    label: Option<&'static str>,
}

impl TotalLoss {
    /// Returns the mean; NaN if the weight is 0.
    fn mean(&self) -> f64 {
        if self.weight == 0.0 { f64::NAN } else { self.sum / self.weight }
    }
}

impl Totals {
    /// Creates totals over no samples.
    #[must_use]
    pub fn new(settings: &TrainConfig) -> Self {
        let mut labels = settings.loss_labels();
        let losses = settings.loss.iter().zip(&settings.loss_weights).map(|(loss, &factor)| TotalLoss {
            sum: 0.0,
            weight: 0.0,
            factor,
            ignored: loss.ignored(),
            label: labels.next(),
        });
        Self {
            losses: losses.collect(),
            metrics: settings.metrics.iter().map(|metric| metric.start()).collect(),
            samples: 0,
            outputs: settings.metrics.iter().map(|metric| metric.output()).collect(),
        }
    }

    /// Clears the totals and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.losses.iter_mut().for_each(|loss| (loss.sum, loss.weight) = (0.0, 0.0));
        self.samples = 0;
        self.metrics.iter_mut().for_each(|metric| metric.clear());
    }

    /// Adds the result of a micro-batch.
    pub(super) fn add(&mut self, result: &BatchResult<'_>) -> Result<()> {
        for (loss, part) in self.losses.iter_mut().zip(&*result.part) {
            loss.sum += part.loss;
            loss.weight += part.weight;
        }
        self.samples += result.size;
        for (metric, &output) in self.metrics.iter_mut().zip(&self.outputs) {
            let missing = Error::Internal("a batch without a target of a metric");
            let (Some(found), Some(loss)) = (result.outputs.get(output), self.losses.get(output)) else {
                return Err(missing);
            };
            let targets = found.targets.as_deref().ok_or(missing)?;
            metric.update(result.size, found.shape, &found.predictions, targets, loss.ignored)?;
        }
        Ok(())
    }

    /// Returns the number of samples.
    pub(crate) fn samples(&self) -> usize {
        self.samples
    }

    /// Returns the mean loss: the weighted sum of the mean losses of the outputs in which samples count; NaN if there are none.
    pub(super) fn mean_loss(&self) -> f64 {
        if let [loss] = self.losses.as_slice() {
            return loss.mean();
        }
        // An output with the weight 0 is ignored, even if its loss is infinite.
        let terms = self.losses.iter().filter(|loss| loss.weight != 0.0 && loss.factor > 0.0);
        terms.map(|loss| loss.factor * loss.mean()).reduce(|sum, term| sum + term).unwrap_or(f64::NAN)
    }

    /// Returns whether no sample counts.
    pub(super) fn counts_nothing(&self) -> bool {
        self.losses.iter().all(|loss| loss.weight == 0.0)
    }

    /// Returns whether the loss is finite, or undefined because no sample counts.
    pub(super) fn is_finite(&self) -> bool {
        let is_finite = |loss: &TotalLoss| {
            if loss.weight == 0.0 { loss.sum.is_finite() } else { loss.mean().is_finite() }
        };
        self.losses.iter().all(is_finite)
    }

    /// Returns the loss of each output, if there are several, and each metric with a scalar value.
    pub(super) fn measures(&self) -> StepMetrics {
        let mut measures = StepMetrics::default();
        for loss in &self.losses {
            if let Some(label) = loss.label {
                measures.push(label, loss.mean());
            }
        }
        for metric in &self.metrics {
            if metric.table().is_none() {
                measures.push(metric.label(), metric.value());
            }
        }
        measures
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (loss, other) in self.losses.iter_mut().zip(&other.losses) {
            loss.sum += other.sum;
            loss.weight += other.weight;
        }
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
        let loss = |loss: &TotalLoss| json!([loss.sum, loss.weight]);
        let losses = match self.losses.as_slice() {
            [only] => loss(only),
            losses => losses.iter().map(loss).collect(),
        };
        Ok(json!({ "loss": losses, "metrics": metrics, "samples": self.samples }))
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
        let bad = |_| fault("loss", "expected a sum and a weight for each output");
        let losses: Vec<(f64, f64)> = match totals.losses.len() {
            1 => vec![serde_json::from_value(of("loss")).map_err(bad)?],
            _ => serde_json::from_value(of("loss")).map_err(bad)?,
        };
        if losses.len() != totals.losses.len() {
            return Err(fault("loss", "expected a sum and a weight for each output"));
        }
        for (loss, (sum, weight)) in totals.losses.iter_mut().zip(losses) {
            (loss.sum, loss.weight) = (sum, weight);
        }
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
    let shape = |output| engine.prediction_shape(output);
    // A custom loss may compare classes with other outputs.
    let is_of_classes = |&(output, target): &(usize, &Shape)| {
        let classes = target.vocabulary().filter(|&classes| classes <= Confusion::MAX_CLASSES);
        target.rank() == 0 && classes.is_some_and(|classes| shape(output).axes() == [classes])
    };
    // Of the first output of classes.
    let output = data.target_shapes().iter().enumerate().find(is_of_classes).map(|(output, _)| output);
    let mut confusion = output.map(|output| (output, shape(output), Confusion::default()));
    let read = Read { predictions: !settings.metrics.is_empty() || confusion.is_some(), tokens: false };
    let evaluation = each(world, engine, (settings, data, indices), read, |result| {
        let Some((output, shape, confusion)) = &mut confusion else { return Ok(()) };
        let Some(found) = result.outputs.get(*output) else { return Ok(()) };
        if let Some(Elements::Int(targets)) = found.targets.as_deref() {
            let ignored = settings.loss.get(*output).and_then(|loss| loss.ignored());
            let (size, predictions) = (result.size, &*found.predictions);
            confusion.update(&Outcomes { size, shape: *shape, predictions, targets, ignored });
        }
        Ok(())
    })?;
    let declared =
        evaluation.confusion.as_ref().map(|confusion| confusion.names.as_slice()).unwrap_or_default();
    let confusion = confusion.map(|(output, _, confusion)| {
        let names = if declared.is_empty() { data.class_names(output) } else { declared };
        Confusion { names: names.to_vec(), ..confusion }
    });
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
    let round = size.saturating_mul(world.size());
    let rounds = indices.len().div_ceil(round) as u64;
    let own = |number: u64| -> Result<Option<Batch>> {
        let round = indices.chunks(round).nth(number as usize).unwrap_or_default();
        world.share(round.chunks(size)).next().map(|indices| data.batch(indices)).transpose()
    };
    std::thread::scope(|scope| {
        let bytes = size.saturating_mul(data.bytes_of_sample());
        let mut batches = ReadAhead::new(scope, data.interrupt(), 0.., Some(rounds), bytes, own);
        for _ in 0..rounds {
            let shapes: Few<_> =
                (0..settings.loss.len()).map(|output| engine.prediction_shape(output)).collect();
            let batch;
            let own = match batches.next() {
                Ok(None) => Ok(None),
                Err(error) => Err(error),
                Ok(Some(read_batch)) => {
                    batch = read_batch;
                    let part = engine.evaluate(&batch);
                    part.and_then(|part| BatchResult::of(engine, part, &batch, read, data.target_units()))
                        .map(Some)
                }
            };
            for_each_result(world, &shapes, own, |result| {
                totals.add(result)?;
                look(result)
            })?;
        }
        Ok(totals.evaluation())
    })
}
