//! What is found while every sample is read once.

use std::ops::RangeInclusive;

use sha2::{Digest, Sha256};

use super::memory::size;
use super::normalizer::Moments;
use super::shared::Inputs;
use super::split::Parts;
use super::{AnyDataset, Batch, Column, Elements, Normalization, Patterns};
use crate::error::{Error, Result};
use crate::files::hex;
use crate::shape::Shape;

/// What is gathered while every sample is read once, in order.
pub(super) struct Survey {
    learned: Vec<bool>,
    /// Between which the numbers of an input lie.
    range: Option<RangeInclusive<f32>>,
    pub(super) moments: Moments,
    pub(super) class_counts: Option<Vec<usize>>,
    /// Whether a training sample has a target that is not ignored.
    pub(super) has_targets: bool,
    inputs: Sha256,
    targets: Sha256,
    pub(super) samples: Inputs,
    pub(super) patterns: Patterns,
}

impl Survey {
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
                    "the inputs are tokens, whose range is that of their kind; expected no `input_range`"
                        .to_owned(),
                ));
            }
            if range.is_empty() {
                let (low, high) = (range.start(), range.end());
                return Err(Error::Dataset(format!(
                    "the `input_range` is {low} to {high}, which has no number in it; expected the smallest number first, such as \
                     `0.0..=1.0`"
                )));
            }
        }
        let mut learned = vec![false; data.len()];
        for &index in &parts.train {
            if let Some(learned) = learned.get_mut(index) {
                *learned = true;
            }
        }
        Ok(Self {
            learned,
            range,
            moments: Moments::new(if input.vocabulary().is_some() { 0 } else { elements }),
            class_counts: target.vocabulary().filter(|_| target.rank() == 0).map(|classes| vec![0; classes]),
            has_targets: false,
            inputs: Sha256::new(),
            targets: Sha256::new(),
            samples: Inputs::default(),
            patterns: Patterns::new(input, target),
        })
    }

    /// Looks at samples from number `start` on.
    pub(super) fn look(&mut self, start: usize, batch: &Batch, ignored: Option<u32>) -> Result<()> {
        check("input", start, &batch.input, self.range.as_ref(), None)?;
        check("target", start, &batch.target, None, ignored)?;
        let inputs = bytes(&batch.input.elements);
        self.samples.add(&inputs, batch.size);
        self.inputs.update(inputs);
        self.targets.update(bytes(&batch.target.elements));
        let learned = self.learned.get(start..).unwrap_or_default();
        self.patterns.add(batch, learned);
        if let Elements::Real(numbers) = &batch.input.elements {
            let samples = numbers.chunks(batch.input.shape.elements());
            for (sample, _) in samples.zip(learned).filter(|(_, learned)| **learned) {
                self.moments.add(sample);
            }
        }
        if let Elements::Whole(targets) = &batch.target.elements {
            let mut samples = targets.chunks(batch.target.shape.elements()).zip(learned);
            self.has_targets |= samples
                .any(|(targets, learned)| *learned && targets.iter().any(|&target| Some(target) != ignored));
        }
        if let (Some(counts), Elements::Whole(classes)) = (&mut self.class_counts, &batch.target.elements) {
            for (&class, _) in classes.iter().zip(learned).filter(|(_, learned)| **learned) {
                if let Some(count) = counts.get_mut(class as usize) {
                    *count += 1;
                }
            }
        }
        Ok(())
    }

    /// SHA-256 of a name, then for inputs and targets: the number of samples, the vocabulary (0 if real),
    /// the rank and the axes as u64, and the SHA-256 of all numbers; everything little-endian.
    pub(super) fn fingerprint(&self, input: Shape, target: Shape, samples: usize) -> String {
        let mut hash = Sha256::new();
        // A change to the layout changes this name.
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
        Elements::Real(reals) => reals.iter().flat_map(|real| real.to_le_bytes()).collect(),
        Elements::Whole(wholes) => wholes.iter().flat_map(|whole| whole.to_le_bytes()).collect(),
    }
}

/// Whether every number is one that the kind can have, and in the range that is named for it.
fn check(
    what: &str,
    start: usize,
    column: &Column,
    range: Option<&RangeInclusive<f32>>,
    ignored: Option<u32>,
) -> Result<()> {
    let size = column.shape.elements();
    let wrong = |place: usize, found: String, expected: String| {
        let place_in_sample = match column.shape.rank() {
            0 => String::new(),
            _ => format!("element {} of ", place % size),
        };
        Error::Dataset(format!(
            "sample {} (from 0): {place_in_sample}the {what} is {found}; expected {expected}",
            start + place / size
        ))
    };
    match &column.elements {
        Elements::Real(reals) => {
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
        Elements::Whole(wholes) => {
            let Some(known) = column.shape.vocabulary() else {
                return Err(Error::Dataset(format!(
                    "the {what} is of whole numbers, but its kind has 0 of them; expected at least one class or \
                     token"
                )));
            };
            let is_wrong = |whole: u32| whole as usize >= known && ignored != Some(whole);
            match (0..).zip(wholes).find(|(_, whole)| is_wrong(**whole)) {
                Some((place, whole)) => {
                    // The mistake that is made most.
                    let hint =
                        if *whole as usize == known { "; if yours count from 1, subtract 1" } else { "" };
                    let expected = format!("a whole number from 0 to {}{hint}", known - 1);
                    Err(wrong(place, whole.to_string(), expected))
                }
                None => Ok(()),
            }
        }
    }
}
