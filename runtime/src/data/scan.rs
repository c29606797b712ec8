//! The checks and statistics of the single pass over all samples.

use std::ops::RangeInclusive;

use sha2::{Digest, Sha256};

use super::extremes::Extremes;
use super::memory::{size, whole_number};
use super::normalizer::Moments;
use super::shared::Inputs;
use super::split::{Part, Parts};
use super::{AnyDataset, Batch, Elements, Normalization, Numbers, Patterns};
use crate::error::{Error, Result};
use crate::files::hex;
use crate::loss::TargetRules;
use crate::shape::Shape;

/// The results of reading every sample once, in order.
pub(super) struct DatasetScan {
    /// Which samples are for training.
    learned: Vec<bool>,
    /// The part of each sample.
    parts: Vec<Option<Part>>,
    /// The range of the input values.
    range: Option<RangeInclusive<f32>>,
    pub(super) moments: Moments,
    pub(super) class_counts: Option<Vec<usize>>,
    /// Whether each part has a target that counts in the loss.
    counts: [bool; 3],
    pub(super) extremes: Extremes,
    inputs: Sha256,
    targets: Sha256,
    pub(super) samples: Inputs,
    pub(super) patterns: Patterns,
}

impl DatasetScan {
    pub(super) fn new(data: &dyn AnyDataset, parts: &Parts) -> Result<Self> {
        let (input, target) = (data.input_shape(), data.target_shape());
        let elements = size("input", input)?;
        size("target", target)?;
        let normalization = data.normalization();
        if normalization != Normalization::None && input.vocabulary().is_some() {
            return Err(Error::Dataset(format!(
                "the inputs are tokens, which cannot be normalized; expected `Normalization::None`, found \
                 `{normalization:?}`"
            )));
        }
        let range = data.input_range();
        if let Some(range) = &range {
            if input.vocabulary().is_some() {
                return Err(Error::Dataset(
                    "the inputs are tokens, whose range is set by their kind; expected no `input_range`"
                        .to_owned(),
                ));
            }
            if range.is_empty() {
                let (low, high) = (range.start(), range.end());
                return Err(Error::Dataset(format!(
                    "the `input_range` is {low} to {high}, which contains no number; expected the smallest number first, such as \
                     `0.0..=1.0`"
                )));
            }
        }
        let parts = parts.of_each(data.len());
        let learned = parts.iter().map(|part| *part == Some(Part::Training)).collect();
        Ok(Self {
            learned,
            parts,
            range,
            moments: Moments::new(if input.vocabulary().is_some() { 0 } else { elements }),
            class_counts: target.vocabulary().filter(|_| target.rank() == 0).map(|classes| vec![0; classes]),
            counts: [false; 3],
            extremes: Extremes::default(),
            inputs: Sha256::new(),
            targets: Sha256::new(),
            samples: Inputs::default(),
            patterns: Patterns::new(input, target),
        })
    }

    /// Adds samples from index `start` on, whose targets follow these rules.
    pub(super) fn look(
        &mut self,
        data: &dyn AnyDataset,
        start: usize,
        batch: &Batch,
        rules: &dyn TargetRules,
    ) -> Result<()> {
        let place =
            |sample: usize| place(data, start + sample, self.parts.get(start + sample).copied().flatten());
        check("input", &place, batch.input.numbers(), self.range.as_ref(), None)?;
        check("target", &place, batch.target.numbers(), None, rules.ignored())?;
        for sample in 0..batch.size {
            let Some(part) = self.parts.get(start + sample).copied().flatten() else { continue };
            let target = batch.target.sample(sample);
            if let Err(problem) = rules.accepts(target) {
                return Err(Error::Dataset(format!("{}: {problem}", place(sample))));
            }
            let counts = &mut self.counts[part as usize];
            *counts = *counts || rules.counts(target);
            if let Numbers::Float(numbers) = batch.input.sample(sample) {
                self.extremes.add(start + sample, numbers);
            }
        }
        let inputs = bytes(&batch.input.elements);
        self.samples.add(&inputs, batch.size);
        self.inputs.update(inputs);
        self.targets.update(bytes(&batch.target.elements));
        let learned = self.learned.get(start..).unwrap_or_default();
        self.patterns.add(batch, learned);
        if let Elements::Float(numbers) = &batch.input.elements {
            let samples = numbers.chunks(batch.input.shape.elements());
            for (sample, _) in samples.zip(learned).filter(|(_, learned)| **learned) {
                self.moments.add(sample);
            }
        }
        if let (Some(counts), Elements::Int(classes)) = (&mut self.class_counts, &batch.target.elements) {
            for (&class, _) in classes.iter().zip(learned).filter(|(_, learned)| **learned) {
                if let Some(count) = counts.get_mut(class as usize) {
                    *count += 1;
                }
            }
        }
        Ok(())
    }

    /// Checks that each part with samples has one that counts in the loss. Otherwise the mean is not defined.
    pub(super) fn check_counts(&self, rules: &dyn TargetRules) -> Result<()> {
        for part in Part::ALL {
            let samples = self.parts.iter().filter(|other| **other == Some(part)).count();
            if samples == 0 || self.counts[part as usize] {
                continue;
            }
            let what = match rules.ignored() {
                Some(ignored) => format!("is {ignored}, which the loss ignores, or has the weight 0"),
                None => "has the weight 0 in the loss".to_owned(),
            };
            let (name, then) = match part {
                Part::Training => ("training", "nothing could be learned"),
                Part::Validation => {
                    ("validation", "their loss is not defined; label some, or split the data differently")
                }
                Part::Test => {
                    ("test", "their loss is not defined; label some, or split the data differently")
                }
            };
            return Err(Error::Dataset(format!(
                "every target of the {samples} {name} samples {what}; {then}"
            )));
        }
        Ok(())
    }

    /// SHA-256 of a name, then for inputs and targets: the number of samples, the vocabulary (0 if real),
    /// the rank and the axes as u64, and the SHA-256 of all values; everything little-endian.
    pub(super) fn fingerprint(&self, input: Shape, target: Shape, samples: usize) -> String {
        let mut hash = Sha256::new();
        // Change this name whenever the layout changes.
        hash.update(b"trainspec data 1");
        for (shape, numbers) in [(input, &self.inputs), (target, &self.targets)] {
            let vocabulary = shape.vocabulary().unwrap_or(0);
            for number in [samples, vocabulary, shape.rank()].iter().chain(shape.axes()) {
                hash.update((*number as u64).to_le_bytes());
            }
            hash.update(numbers.clone().finalize());
        }
        hex(&hash.finalize())
    }
}

fn bytes(numbers: &Elements) -> Vec<u8> {
    match numbers {
        Elements::Float(reals) => reals.iter().flat_map(|real| real.to_le_bytes()).collect(),
        Elements::Int(wholes) => wholes.iter().flat_map(|whole| whole.to_le_bytes()).collect(),
    }
}

/// Names a sample in messages.
pub(super) fn place(data: &dyn AnyDataset, index: usize, part: Option<Part>) -> String {
    let location = data.location(index).map(|location| format!("{location}: ")).unwrap_or_default();
    let part = match part {
        Some(Part::Training) => " of the training part",
        Some(Part::Validation) => " of the validation part",
        Some(Part::Test) => " of the test part",
        None => "",
    };
    format!("{location}sample {index} (from 0){part}")
}

/// Checks that every value is valid for the kind, and in the declared range.
pub(crate) fn check(
    what: &str,
    name: &dyn Fn(usize) -> String,
    (shape, numbers): (Shape, Numbers<'_>),
    range: Option<&RangeInclusive<f32>>,
    ignored: Option<u32>,
) -> Result<()> {
    let size = shape.elements();
    let wrong = |place: usize, found: String, expected: String| {
        let place_in_sample = match shape.rank() {
            0 => String::new(),
            _ => format!("element {} of ", place % size),
        };
        let sample = name(place / size);
        Error::Dataset(format!("{sample}: {place_in_sample}the {what} is {found}; expected {expected}"))
    };
    match numbers {
        Numbers::Float(reals) => {
            let is_wrong = |real: f32| !real.is_finite() || range.is_some_and(|range| !range.contains(&real));
            match (0..).zip(reals).find(|(_, real)| is_wrong(**real)) {
                Some((place, real)) => {
                    let expected = match range {
                        Some(range) if real.is_finite() => {
                            format!("{} to {}, the `input_range` of the data", range.start(), range.end())
                        }
                        _ => "a finite number".to_owned(),
                    };
                    Err(wrong(place, real.to_string(), expected))
                }
                None => Ok(()),
            }
        }
        Numbers::Int(wholes) => {
            let Some(known) = shape.vocabulary() else {
                return Err(Error::Dataset(format!(
                    "the {what} holds whole numbers, but its kind has 0 of them; expected at least one class or \
                     token"
                )));
            };
            let is_wrong = |whole: u32| whole as usize >= known && ignored != Some(whole);
            match (0..).zip(wholes).find(|(_, whole)| is_wrong(**whole)) {
                Some((place, whole)) => {
                    let expected = whole_number(known, Some(f64::from(*whole)));
                    Err(wrong(place, whole.to_string(), expected))
                }
                None => Ok(()),
            }
        }
    }
}
