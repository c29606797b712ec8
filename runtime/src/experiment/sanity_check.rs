//! Inspects a model before its first step: its initial loss, and whether samples of a batch influence each other.

use candle_core::{DType, Device, Tensor};

use crate::advice::{FirstLook, FirstLoss};
use crate::data::{Batch, BatchTensor, PreparedDataset};
use crate::engine::Engine;
use crate::error::Result;
use crate::graph::Graph;
use crate::layer::Role;
use crate::rng::StepIndex;
use crate::shape::{Elements, Shape};
use crate::spec::TrainConfig;

/// A run inspects the model only if this many operations, a few hundredths of a second, are enough; `check` always
/// does.
const CHEAP: u64 = 200_000_000;

/// Samples in the batch of which one is changed.
const FEW: usize = 4;

/// The inspection for a run, if it is cheap.
pub(super) fn of_run(
    engine: &mut dyn Engine,
    graph: &Graph,
    settings: &TrainConfig,
    data: &PreparedDataset,
) -> Result<Option<FirstLook>> {
    let summary = graph.summary(settings.batch.min(data.train().len()));
    if summary.training_flops() > CHEAP {
        return Ok(None);
    }
    Ok(Some(FirstLook { loss: loss(engine, graph, settings, data)?, mixes: false }))
}

/// The full inspection.
pub(super) fn of_check(
    engine: &mut dyn Engine,
    graph: &Graph,
    settings: &TrainConfig,
    data: &PreparedDataset,
) -> Result<Option<FirstLook>> {
    let loss = loss(engine, graph, settings, data)?;
    Ok(Some(FirstLook { loss, mixes: mixes(engine, data)? }))
}

/// Returns the loss of a micro-batch before the first step, and that of uninformative outputs. The samples are spread over
/// the training part.
///
/// It changes no state: an evaluation has no effect, and a model with running statistics, which are not meaningful
/// before the first step, runs in training mode, and the effect is discarded.
fn loss(
    engine: &mut dyn Engine,
    graph: &Graph,
    settings: &TrainConfig,
    data: &PreparedDataset,
) -> Result<Option<FirstLoss>> {
    let train = data.train();
    let size = settings.batch.min(train.len());
    let indices: Vec<_> = (0..size).filter_map(|i| train.get(i * train.len() / size).copied()).collect();
    let batch = data.batch(&indices)?;
    let has_statistics = graph.parameters.iter().any(|parameter| parameter.role == Role::Statistic);
    let part = if has_statistics {
        let part = engine.accumulate(&batch, StepIndex { step: 0, micro_batch: 0 });
        engine.discard()?;
        part?
    } else {
        engine.evaluate(&batch)?
    };
    let (mut sum, mut baseline, mut of_classes) = (0.0, 0.0, true);
    for (output, (loss, &factor)) in settings.loss.iter().zip(&settings.loss_weights).enumerate() {
        let (Some(target), Some(part)) = (batch.targets.get(output), part.get(output)) else {
            return Ok(None);
        };
        let Some(silent) = silent(engine.prediction_shape(output), batch.size, target)? else {
            return Ok(None);
        };
        let silent = loss.sum(&silent, &target.to_tensor(batch.size, &Device::Cpu)?)?;
        // A batch in which no sample counts has no loss.
        if silent.weight == 0.0 || part.weight == 0.0 {
            return Ok(None);
        }
        sum += factor * part.loss / part.weight;
        baseline += factor * silent.sum.to_dtype(DType::F64)?.to_scalar::<f64>()? / silent.weight;
        of_classes &= matches!(target.elements, Elements::Int(_));
    }
    Ok(Some(FirstLoss { loss: sum, baseline, of_classes }))
}

/// Returns uninformative outputs of this shape: the same for each class, or the mean of the targets.
fn silent(shape: Shape, size: usize, target: &BatchTensor) -> Result<Option<Tensor>> {
    let numbers = match &target.elements {
        // Also valid as log-probabilities.
        Elements::Int(_) => vec![-(shape.last().max(1) as f32).ln(); size * shape.elements()],
        Elements::Float(_) if target.shape.axes() != shape.axes() => return Ok(None),
        Elements::Float(targets) => {
            let mut mean = vec![0.0_f64; shape.elements()];
            for sample in targets.chunks(shape.elements().max(1)) {
                mean.iter_mut()
                    .zip(sample)
                    .for_each(|(mean, &target)| *mean += f64::from(target) / size as f64);
            }
            std::iter::repeat_n(mean, size).flatten().map(|mean| mean as f32).collect()
        }
    };
    let axes: Vec<_> = std::iter::once(size).chain(shape.axes().iter().copied()).collect();
    Ok(Some(Tensor::from_vec(numbers, axes, &Device::Cpu)?))
}

/// Returns whether, in evaluation mode, the output for one sample changes when another one is changed. Engines compute
/// the same bits for a sample in any batch, so any difference comes from the model.
fn mixes(engine: &mut dyn Engine, data: &PreparedDataset) -> Result<bool> {
    let train = data.train();
    let size = FEW.min(train.len());
    if size < 2 {
        return Ok(false);
    }
    let batch = data.batch(train.get(..size).unwrap_or_default())?;
    let mut outputs = |batch: &Batch| -> Result<Vec<Vec<u32>>> {
        let count = engine.evaluate(batch)?.len();
        let bits = |output| Ok(engine.predictions(output)?.iter().map(|output| output.to_bits()).collect());
        (0..count).map(bits).collect()
    };
    let before = outputs(&batch)?;
    for changed in [0, size - 1] {
        let after = outputs(&with_another(&batch, changed))?;
        for (before, after) in before.iter().zip(&after) {
            let length = (before.len() / size).max(1);
            let mut samples = before.chunks(length).zip(after.chunks(length)).enumerate();
            if samples.any(|(sample, (before, after))| sample != changed && before != after) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Returns the batch with every element of one sample's inputs changed.
fn with_another(batch: &Batch, sample: usize) -> Batch {
    let mut batch = batch.clone();
    for input in &mut batch.inputs {
        let elements = input.shape.elements();
        let place = sample * elements..(sample + 1) * elements;
        let vocabulary = input.shape.vocabulary().unwrap_or(1) as u32;
        match &mut input.elements {
            Elements::Float(numbers) => {
                numbers.get_mut(place).unwrap_or_default().iter_mut().for_each(|number| *number += 1.0);
            }
            Elements::Int(tokens) => {
                let change = |token: &mut u32| *token = (*token + 1) % vocabulary.max(1);
                tokens.get_mut(place).unwrap_or_default().iter_mut().for_each(change);
            }
        }
    }
    batch
}
