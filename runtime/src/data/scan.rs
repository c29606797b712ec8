//! The checks and statistics of the pass over the samples before the first step.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::extremes::Extremes;
use super::memory::{size, whole_number};
use super::normalizer::Moments;
use super::parts::{Part, Parts};
use super::shared::Inputs;
use super::target_units::{are_normalized, check_normalized};
use super::{AnyDataset, Batch, Elements, Normalization, Numbers, Patterns, Split, TargetUnits};
use crate::error::{Error, Result};
use crate::files::hex;
use crate::loss::TargetRules;
use crate::shape::{Shape, ordinal};

/// The results of reading samples in ascending order, each once.
pub(super) struct DatasetScan {
    /// Which samples are for training.
    learned: Vec<bool>,
    /// The part of each sample.
    parts: Vec<Option<Part>>,
    pub(super) inputs: Vec<InputScan>,
    pub(super) targets: Vec<TargetScan>,
    pub(super) samples: Inputs,
    /// Those of each pair of an input and a target, in that order.
    pub(super) patterns: Vec<Patterns>,
}

/// The results for one input.
pub(super) struct InputScan {
    pub(super) shape: Shape,
    pub(super) moments: Moments,
    pub(super) extremes: Extremes,
    hash: Sha256,
}

/// The results for one target.
pub(super) struct TargetScan {
    shape: Shape,
    pub(super) class_counts: Option<Vec<usize>>,
    /// The class of each training sample, if the target is one class.
    pub(super) classes: Vec<u32>,
    /// For a target that is normalized.
    pub(super) moments: Option<Moments>,
    /// Whether each part has a target that counts in the loss. Of a normalized target, this is found in a second pass.
    counts: [bool; 3],
    hash: Sha256,
}

impl InputScan {
    fn new(data: &dyn AnyDataset, input: usize, shape: Shape) -> Result<Self> {
        let elements = if shape.vocabulary().is_some() { 0 } else { shape.elements() };
        let missing = data.missing_elements(input);
        for (what, list) in [("missing", missing), ("unscaled", data.unscaled_elements(input))] {
            if let Some(element) = list.iter().find(|element| **element >= elements) {
                return Err(Error::Dataset(format!(
                    "element {element} of the {} is listed in `{what}_elements`, but it has {elements} real elements",
                    ordinal("input", input, data.input_shapes().len()),
                )));
            }
        }
        if let Some(element) = missing.iter().find(|element| data.unscaled_elements(input).contains(element))
        {
            return Err(Error::Dataset(format!(
                "element {element} of the {} is listed in both `missing_elements` and `unscaled_elements`; a missing value is \
                 replaced by the mean, so expected it in only one of them",
                ordinal("input", input, data.input_shapes().len()),
            )));
        }
        if !missing.is_empty() && data.normalization() != Normalization::PerElement {
            return Err(Error::Dataset(format!(
                "values may be missing, and the normalization, which replaces them by the mean, is `{:?}`; expected \
                 `.with_normalization(Normalization::PerElement)`",
                data.normalization()
            )));
        }
        let moments = Moments::new(elements, missing);
        Ok(Self { shape, moments, extremes: Extremes::default(), hash: Sha256::new() })
    }
}

impl TargetScan {
    fn new(shape: Shape, is_normalized: bool) -> Self {
        let class_counts = shape.vocabulary().filter(|_| shape.rank() == 0).map(|classes| vec![0; classes]);
        let moments = is_normalized.then(|| Moments::new(shape.elements(), &[]));
        Self { shape, class_counts, classes: Vec::new(), moments, counts: [false; 3], hash: Sha256::new() }
    }
}

impl DatasetScan {
    pub(super) fn new(data: &dyn AnyDataset, parts: &Parts) -> Result<Self> {
        let (inputs, targets) = (data.input_shapes(), data.target_shapes());
        for (what, shapes) in [("input", inputs), ("target", targets)] {
            for (place, &shape) in shapes.iter().enumerate() {
                size(&ordinal(what, place, shapes.len()), shape)?;
            }
        }
        let normalization = data.normalization();
        let are_tokens = inputs.iter().all(|input| input.vocabulary().is_some());
        if normalization != Normalization::None && are_tokens {
            return Err(Error::Dataset(format!(
                "the inputs are tokens, which cannot be normalized; expected `Normalization::None`, found \
                 `{normalization:?}`"
            )));
        }
        let range = data.input_range();
        if let Some(range) = &range {
            if are_tokens {
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
            inputs: (0..)
                .zip(inputs)
                .map(|(input, &shape)| InputScan::new(data, input, shape))
                .collect::<Result<_>>()?,
            targets: targets
                .iter()
                .zip(are_normalized(data)?)
                .map(|(&shape, is_normalized)| TargetScan::new(shape, is_normalized))
                .collect(),
            samples: Inputs::default(),
            patterns: inputs
                .iter()
                .flat_map(|&input| targets.iter().map(move |&target| Patterns::new(input, target)))
                .collect(),
        })
    }

    /// Adds the samples with these indices. There are rules for each target.
    pub(super) fn look(
        &mut self,
        data: &dyn AnyDataset,
        indices: &[usize],
        batch: &Batch,
        rules: &[Arc<dyn TargetRules>],
    ) -> Result<()> {
        let parts = &self.parts;
        let part_of = |sample: usize| parts.get(*indices.get(sample)?).copied().flatten();
        check_batch(data, &part_of, indices, batch, rules)?;
        for sample in 0..batch.size {
            let (Some(part), Some(&index)) = (part_of(sample), indices.get(sample)) else { continue };
            for ((scan, target), rules) in self.targets.iter_mut().zip(&batch.targets).zip(rules) {
                if scan.moments.is_some() {
                    // The loss sees it normalized.
                    continue;
                }
                let target = target.sample(sample);
                let counts = &mut scan.counts[part as usize];
                *counts = *counts || rules.counts(target);
            }
            for (scan, input) in self.inputs.iter_mut().zip(&batch.inputs) {
                if let Numbers::Float(numbers) = input.sample(sample) {
                    scan.extremes.add(index, numbers);
                }
            }
        }
        let learned: Vec<bool> =
            indices.iter().map(|index| self.learned.get(*index).copied().unwrap_or(false)).collect();
        let learned = learned.as_slice();
        let inputs: Vec<_> = batch.inputs.iter().map(|input| bytes(&input.elements)).collect();
        self.samples.add(&inputs, batch.size);
        for ((scan, input), bytes) in self.inputs.iter_mut().zip(&batch.inputs).zip(inputs) {
            scan.hash.update(bytes);
            if let Elements::Float(numbers) = &input.elements {
                let samples = numbers.chunks(input.shape.elements().max(1));
                for (sample, _) in samples.zip(learned).filter(|(_, learned)| **learned) {
                    scan.moments.add(sample);
                }
            }
        }
        for (scan, target) in self.targets.iter_mut().zip(&batch.targets) {
            scan.hash.update(bytes(&target.elements));
            if let (Some(moments), Elements::Float(numbers)) = (&mut scan.moments, &target.elements) {
                let samples = numbers.chunks(target.shape.elements().max(1));
                samples
                    .zip(learned)
                    .filter(|(_, learned)| **learned)
                    .for_each(|(sample, _)| moments.add(sample));
            }
            if let (Some(counts), Elements::Int(classes)) = (&mut scan.class_counts, &target.elements) {
                for (&class, _) in classes.iter().zip(learned).filter(|(_, learned)| **learned) {
                    scan.classes.push(class);
                    if let Some(count) = counts.get_mut(class as usize) {
                        *count += 1;
                    }
                }
            }
        }
        let pairs =
            batch.inputs.iter().flat_map(|input| batch.targets.iter().map(move |target| (input, target)));
        for (patterns, (input, target)) in self.patterns.iter_mut().zip(pairs) {
            patterns.add(input, target, batch.size, learned);
        }
        Ok(())
    }

    /// Adds the normalized targets of the samples with these indices, in a second pass.
    pub(super) fn look_at_normalized(
        &mut self,
        data: &dyn AnyDataset,
        indices: &[usize],
        batch: Batch,
        units: &TargetUnits,
        rules: &[Arc<dyn TargetRules>],
    ) -> Result<()> {
        let count = batch.targets.len();
        for (number, (mut target, rules)) in batch.targets.into_iter().zip(rules).enumerate() {
            let (Some(normalizer), Some(scan)) =
                (units.normalizers().of(number), self.targets.get_mut(number))
            else {
                continue;
            };
            let Elements::Float(values) = &mut target.elements else { continue };
            normalizer.apply(values);
            for (&index, values) in indices.iter().zip(values.chunks(target.shape.elements().max(1))) {
                let Some(part) = self.parts.get(index).copied().flatten() else { continue };
                let place = || place(data, index, Some(part));
                let counts = check_normalized(
                    normalizer,
                    &ordinal("target", number, count),
                    &place,
                    values,
                    &**rules,
                )?;
                scan.counts[part as usize] |= counts;
            }
        }
        Ok(())
    }

    /// Checks that each part with samples has one that counts in the loss of each target. Otherwise the mean is not defined.
    pub(super) fn check_counts(&self, rules: &[Arc<dyn TargetRules>]) -> Result<()> {
        for (number, (scan, rules)) in self.targets.iter().zip(rules).enumerate() {
            for part in Part::ALL {
                let samples = self.parts.iter().filter(|other| **other == Some(part)).count();
                if samples == 0 || scan.counts[part as usize] {
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
                let target = ordinal("target", number, self.targets.len());
                return Err(Error::Dataset(format!(
                    "every {target} of the {samples} {name} samples {what}; {then}"
                )));
            }
        }
        Ok(())
    }

    /// SHA-256 of a name, then for each input and each target: the number of samples, the vocabulary (0 if real), the rank and
    /// the axes as u64, and the SHA-256 of all values; everything little-endian. If there are several inputs or targets, their
    /// numbers come first. If a sample has a weight other than 1, the weights of all follow as f32; if the split
    /// keeps groups together, the group of each sample, numbered in the order of their first samples. `name` is [`ALL`] or [`SAMPLE`].
    pub(super) fn fingerprint(&self, data: &dyn AnyDataset, name: &str) -> String {
        let samples = data.len();
        let mut hash = Sha256::new();
        hash.update(name.as_bytes());
        let inputs = self.inputs.iter().map(|input| (input.shape, &input.hash));
        let targets = self.targets.iter().map(|target| (target.shape, &target.hash));
        if (inputs.len(), targets.len()) != (1, 1) {
            for count in [inputs.len(), targets.len()] {
                hash.update((count as u64).to_le_bytes());
            }
        }
        for (shape, values) in inputs.chain(targets) {
            let vocabulary = shape.vocabulary().unwrap_or(0);
            for number in [samples, vocabulary, shape.rank()].iter().chain(shape.axes()) {
                hash.update((*number as u64).to_le_bytes());
            }
            hash.update(values.clone().finalize());
        }
        let weights = || (0..samples).map(|index| data.sample_weight(index).to_le_bytes());
        if weights().any(|weight| weight != 1.0_f32.to_le_bytes()) {
            weights().for_each(|weight| hash.update(weight));
        }
        if matches!(data.split(), Split::Grouped { .. } | Split::GroupedFold { .. }) {
            let mut known = HashMap::new();
            for index in 0..samples {
                let next = known.len() as u64;
                let group = data.group(index).map(|group| *known.entry(group).or_insert(next));
                hash.update(group.unwrap_or(u64::MAX).to_le_bytes());
            }
        }
        hex(&hash.finalize())
    }
}

/// The layout of the fingerprint of all samples. Change the name whenever the layout changes.
pub(super) const ALL: &str = "trainspec data 1";
/// That of some samples.
pub(super) const SAMPLE: &str = "trainspec data sample 1";

/// Checks every value of the samples with these indices. `part_of` returns the part of the sample at a place in the batch.
pub(super) fn check_batch(
    data: &dyn AnyDataset,
    part_of: &dyn Fn(usize) -> Option<Part>,
    indices: &[usize],
    batch: &Batch,
    rules: &[Arc<dyn TargetRules>],
) -> Result<()> {
    let place = |sample: usize| place(data, indices.get(sample).copied().unwrap_or(0), part_of(sample));
    let range = data.input_range();
    for (number, input) in batch.inputs.iter().enumerate() {
        let what = ordinal("input", number, batch.inputs.len());
        let accepted =
            Accepted { range: range.as_ref(), missing: data.missing_elements(number), ignored: None };
        check(&what, &place, input.numbers(), &accepted)?;
    }
    for (number, (target, rules)) in batch.targets.iter().zip(rules).enumerate() {
        let what = ordinal("target", number, batch.targets.len());
        let accepted = Accepted { ignored: rules.ignored(), ..Accepted::default() };
        check(&what, &place, target.numbers(), &accepted)?;
    }
    // The loss sees a normalized target, which is checked in a second pass.
    let are_normalized = are_normalized(data)?;
    for sample in (0..batch.size).filter(|sample| part_of(*sample).is_some()) {
        for ((target, rules), _) in
            batch.targets.iter().zip(rules).zip(&are_normalized).filter(|(_, is_normalized)| !**is_normalized)
        {
            if let Err(problem) = rules.accepts(target.sample(sample)) {
                return Err(Error::Dataset(format!("{}: {problem}", place(sample))));
            }
        }
    }
    Ok(())
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

/// Which values are valid besides those of the kind.
#[derive(Default)]
pub(crate) struct Accepted<'a> {
    /// The range of real values.
    pub(crate) range: Option<&'a RangeInclusive<f32>>,
    /// The elements in which NaN is a missing value.
    pub(crate) missing: &'a [usize],
    /// A class or token that need not be one.
    pub(crate) ignored: Option<u32>,
}

/// Checks that every value is valid for the kind, and in the declared range.
pub(crate) fn check(
    what: &str,
    name: &dyn Fn(usize) -> String,
    (shape, numbers): (Shape, Numbers<'_>),
    accepted: &Accepted<'_>,
) -> Result<()> {
    let &Accepted { range, missing, ignored } = accepted;
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
            let is_missing = |place: usize, real: f32| {
                real.is_nan() && missing.binary_search(&(place % size.max(1))).is_ok()
            };
            match (0..).zip(reals).find(|&(place, real)| is_wrong(*real) && !is_missing(place, *real)) {
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
