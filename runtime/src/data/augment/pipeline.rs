//! The rules of a run, applied to its batches.

use super::{AnyAugment, Moves, Sample};
use crate::data::{Batch, BatchTensor, PreparedDataset, SampleRng};
use crate::error::{Error, Result};
use crate::keys::augmented_input;
use crate::rng::{Purpose, StepIndex, Stream};
use crate::shape::{Elements, Shape, ordinal};

/// The rules of the key `augment`, checked against data: [`PreparedDataset::augmented`] applies them.
///
/// A run does this itself; a custom loop around [`TrainStep`](crate::trainer::TrainStep) reads its batches this way.
///
/// ```
/// use trainspec::data::PreparedDataset;
/// use trainspec::data::augment::{AnyAugment, Augmentation};
/// use trainspec::prelude::*;
///
/// let digits = Digits8x8::embedded()?;
/// let data = PreparedDataset::new(Box::new(digits), 42)?;
/// let rules: [Box<dyn AnyAugment>; 1] = [Box::new(RandomCrop { padding: 1 })];
/// let augmentation = Augmentation::new(&rules, 42, &data, &[None])?;
///
/// let order = data.order(42, 1);
/// let first = data.augmented(&order[..32], &augmentation, 1, 0)?;
/// let second = data.augmented(&order[32..64], &augmentation, 1, 32)?;
/// # assert_eq!((first.size, second.size), (32, 32));
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Debug)]
pub struct Augmentation<'a> {
    rules: Vec<Rule<'a>>,
    inputs: Vec<Input>,
    /// The targets that move with the input, by index, each with the class of unknown pixels.
    maps: Vec<(usize, Option<u32>)>,
}

/// One rule.
#[derive(Debug)]
struct Rule<'a> {
    change: &'a dyn AnyAugment,
    /// The index of its input.
    input: usize,
    stream: Stream,
}

/// What is known about an input.
#[derive(Debug)]
struct Input {
    low: f32,
    high: f32,
    /// Mean and deviation of each channel over the training samples.
    channels: Vec<(f32, f32)>,
    /// The elements that no rule changes.
    unscaled: Vec<usize>,
    /// The elements in which NaN is a missing value.
    missing: Vec<usize>,
}

impl<'a> Augmentation<'a> {
    /// Checks rules against data, for a run with this seed. `ignored` has the class that the loss of each target ignores, if any: that of
    /// the pixels which enter a target map.
    ///
    /// # Errors
    /// If a rule does not fit its input, or moves pixels where a target or missing values do not allow it.
    pub fn new(
        rules: &'a [Box<dyn AnyAugment>],
        seed: u64,
        data: &PreparedDataset,
        ignored: &[Option<u32>],
    ) -> Result<Self> {
        let rules = rules.iter().enumerate().map(|(place, rule)| {
            let key = format!("augment.{place}");
            let stream = Stream::new(seed, Purpose::Augment, &key);
            let input = check(&**rule, data, ignored).map_err(|problem| Error::Setting { key, problem })?;
            Ok(Rule { change: &**rule, input, stream })
        });
        let rules: Vec<_> = rules.collect::<Result<_>>()?;
        let is_used = |input| rules.iter().any(|rule| rule.input == input);
        let inputs = (0..data.input_shapes().len()).map(|input| Input::of(data, input, is_used(input)));
        let inputs = inputs.collect::<Result<_>>()?;
        let targets = data.target_shapes().iter().enumerate();
        let maps = targets.filter(|(_, shape)| is_map(**shape));
        let maps = maps.map(|(target, _)| (target, ignored.get(target).copied().flatten())).collect();
        Ok(Self { rules, inputs, maps })
    }

    /// Whether there are no rules.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Applies the rules to samples of a pass, from 1, of which the first one is at `position` in the order of the pass.
    pub(in crate::data) fn apply(&self, batch: &mut Batch, pass: u64, position: usize) {
        let Batch { size, inputs, targets, .. } = batch;
        for Rule { change, input, stream } in &self.rules {
            let (Some(input), Some(about)) = (inputs.get_mut(*input), self.inputs.get(*input)) else {
                continue;
            };
            for number in 0..*size {
                let at = StepIndex { step: position.saturating_add(number) as u64, micro_batch: pass as u32 };
                let shape = input.shape;
                let Some(values) = values(input, number) else { continue };
                let kept = about.kept(values);
                let mut sample = about.sample(shape, values);
                if change.moves() != Moves::Nothing {
                    for (index, target) in targets.iter_mut().enumerate() {
                        let map = self.maps.iter().find(|(map, _)| *map == index);
                        if let (Some((_, fill)), Some(classes)) = (map, classes(target, number)) {
                            sample = sample.with_map(classes, *fill);
                        }
                    }
                }
                change.apply(&mut sample, &mut SampleRng::new(*stream, at));
                for (element, value) in kept {
                    if let Some(place) = sample.values().get_mut(element) {
                        *place = value;
                    }
                }
            }
        }
    }
}

impl Input {
    fn of(data: &PreparedDataset, input: usize, is_used: bool) -> Result<Self> {
        let (low, high) = data.input_range().map_or((f32::NEG_INFINITY, f32::INFINITY), |range| {
            let (low, high) = range.into_inner();
            (low, high)
        });
        let channels = if is_used { channels(data, input)? } else { Vec::new() };
        let (unscaled, missing) = (data.unscaled_elements(input), data.missing_elements(input));
        Ok(Self { low, high, channels, unscaled: unscaled.to_vec(), missing: missing.to_vec() })
    }

    fn sample<'s>(&'s self, shape: Shape, values: &'s mut [f32]) -> Sample<'s> {
        Sample::new(shape, values).with_range(self.low, self.high).with_channels(&self.channels)
    }

    /// The elements that a rule must leave unchanged, with their values.
    fn kept(&self, values: &[f32]) -> Vec<(usize, f32)> {
        let value = |element: usize| values.get(element).map(|value| (element, *value));
        let unscaled = self.unscaled.iter().filter_map(|element| value(*element));
        let missing = self.missing.iter().filter_map(|element| value(*element));
        unscaled.chain(missing.filter(|(_, value)| value.is_nan())).collect()
    }
}

/// Checks a rule against data and returns the index of its input.
fn check(rule: &dyn AnyAugment, data: &PreparedDataset, ignored: &[Option<u32>]) -> Result<usize, String> {
    let shapes = data.input_shapes();
    let name = rule.setting().name();
    let fault = |problem: String| Err(format!("{name}: {problem}"));
    let input = augmented_input(rule.list(), shapes.len()).map_err(|problem| problem.of(name).to_string())?;
    let shape = shapes.get(input).copied().unwrap_or_default();
    rule.fits(shape).map_err(|problem| problem.to_string())?;
    if rule.moves() == Moves::Nothing {
        return Ok(input);
    }
    for (what, elements) in
        [("missing", data.missing_elements(input)), ("unscaled", data.unscaled_elements(input))]
    {
        if let Some(element) = elements.first() {
            return fault(format!(
                "it moves values, but element {element} of the {} is in `{what}_elements`, which describe fixed places; remove the rule",
                ordinal("input", input, shapes.len())
            ));
        }
    }
    for (target, of_target) in (0..).zip(data.target_shapes()) {
        if of_target.rank() < 2 {
            continue;
        }
        let what = ordinal("target", target, data.target_shapes().len());
        if shapes.len() > 1 {
            return fault(format!(
                "it moves pixels, and the {what} is a map {of_target}, which could belong to any of the {} inputs; remove the rule",
                shapes.len()
            ));
        }
        if !is_map(*of_target) || shape.axes().get(1..) != Some(of_target.axes()) {
            return fault(format!(
                "it moves pixels, and the {what} {of_target} would have to move with the image {shape}; only a `ClassMap` of the image's \
                 height and width can; remove the rule"
            ));
        }
        let is_filled = ignored.get(target).copied().flatten().is_some();
        if rule.moves() == Moves::AcrossEdges && !is_filled {
            return fault(format!(
                "it moves pixels into the image, whose class in the {what} is not known; expected a loss that ignores them, such as \
                 `CrossEntropy {{ ignore_index: Some(255) }}`, or remove the rule"
            ));
        }
    }
    Ok(input)
}

/// Whether a target has a class for each pixel.
fn is_map(target: Shape) -> bool {
    target.rank() == 2 && target.vocabulary().is_some()
}

/// Mean and deviation of each channel of an input, from those of each element: the variance of a channel is the mean variance of its elements
/// plus the variance of their means.
fn channels(data: &PreparedDataset, input: usize) -> Result<Vec<(f32, f32)>> {
    let Some(profile) = data.profile(input) else {
        return Err(Error::Dataset(format!(
            "the {} has values too large for a mean in f32, which the augmentation needs; expected smaller ones",
            ordinal("input", input, data.input_shapes().len())
        )));
    };
    let shape = data.input_shapes().get(input).copied().unwrap_or_default();
    let each = (shape.elements() / shape.axes().first().copied().unwrap_or(1).max(1)).max(1);
    let channels = profile.mean().chunks(each).zip(profile.deviation().chunks(each));
    let of_channel = |(means, deviations): (&[f32], &[f32])| {
        let count = means.len() as f64;
        let mean = means.iter().map(|mean| f64::from(*mean)).sum::<f64>() / count;
        let variances = means.iter().zip(deviations);
        let variances = variances.map(|(of_element, deviation)| {
            f64::from(*deviation).powi(2) + (f64::from(*of_element) - mean).powi(2)
        });
        (mean as f32, (variances.sum::<f64>() / count).sqrt() as f32)
    };
    Ok(channels.map(of_channel).collect())
}

/// The real values of a sample.
fn values(column: &mut BatchTensor, sample: usize) -> Option<&mut [f32]> {
    let size = column.shape.elements();
    let Elements::Float(values) = &mut column.elements else { return None };
    values.chunks_mut(size.max(1)).nth(sample)
}

/// The classes of a sample.
fn classes(column: &mut BatchTensor, sample: usize) -> Option<&mut [u32]> {
    let size = column.shape.elements();
    let Elements::Int(classes) = &mut column.elements else { return None };
    classes.chunks_mut(size.max(1)).nth(sample)
}
