//! Which samples are for training, validation and test.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::groups::Groups;
use super::parts::{Parts, portion};
use super::{AnyDataset, Elements};
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::rng::{Purpose, StepIndex, Stream};
use crate::shape::{CheckError, CheckResult, Shape};

/// How a data set is divided into training, validation and test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Split {
    /// At random, from the run's seed: these shares for validation and test, the rest for training.
    ///
    /// A part has `floor(share * samples)` samples. The test samples do not depend on the share for
    /// validation.
    Random {
        /// `0 <= validation < 1`
        validation: f64,
        /// `0 <= test < 1`; both together below 1.
        test: f64,
    },
    /// At random, from the run's seed, with the same shares of each class in each part, as far as whole samples allow. The target must
    /// be one class. All targets are read once to find the classes.
    ///
    /// A part has `floor(share * samples)` samples. The test samples do not depend on the share for validation.
    Stratified {
        /// `0 <= validation < 1`
        validation: f64,
        /// `0 <= test < 1`; both together below 1.
        test: f64,
    },
    /// One fold of a cross-validation. The samples are divided into `of` parts of equal size at random, from the run's seed; part `fold`
    /// is for the test, the next one (after the last the first) for validation, and the others for training. So with
    /// each `fold` from 0 to `of - 1`, every sample is tested once.
    Fold {
        /// The number of parts, at least 3; sizes differ by at most 1.
        of: usize,
        /// Which part is for the test, from 0.
        fold: usize,
    },
    /// At random, from the run's seed, where all samples of a [group](super::Dataset::group), such as a patient, are in one part. The data set
    /// must have a group for each sample.
    ///
    /// Groups are taken in random order, first for test and then for validation, each that brings a part closer to its share of the samples. A
    /// part misses its share by at most half of the largest group, unless too few groups are left: each part whose share is above 0
    /// has at least one group, as has the training part. The numbers of the groups do not matter, only which samples have the same.
    Grouped {
        /// `0 <= validation < 1`
        validation: f64,
        /// `0 <= test < 1`; both together below 1.
        test: f64,
    },
    /// One fold of a cross-validation where all samples of a [group](super::Dataset::group) are in one part: as [`Split::Fold`], but every
    /// group is tested once.
    ///
    /// The largest groups are assigned first, each to the part with the fewest samples; groups of the same size are in random order. The
    /// sizes of the parts differ by at most the size of the largest group.
    GroupedFold {
        /// The number of parts, at least 3 and at most the number of groups.
        of: usize,
        /// Which part is for the test, from 0.
        fold: usize,
    },
    /// In the order of the samples: the first ones for training, the next ones for validation, the last ones for test. For
    /// time series ([`Dataset::is_time_series`](super::Dataset::is_time_series)).
    ///
    /// A part has `floor(share * samples)` samples.
    InOrder {
        /// `0 <= validation < 1`
        validation: f64,
        /// `0 <= test < 1`; both together below 1.
        test: f64,
    },
    /// Fixed ranges of sample indices, for data with predefined parts. They must
    /// not overlap; samples in none of them are not used.
    Fixed {
        /// Training samples.
        train: Range<usize>,
        /// Samples for validation: early stopping, best weights.
        validation: Range<usize>,
        /// Samples that are evaluated once, at the end.
        test: Range<usize>,
    },
}

impl Split {
    /// A random tenth for validation and another for test.
    pub const DEFAULT: Self = Self::Random { validation: 0.1, test: 0.1 };

    /// Checks the rules that need no data.
    ///
    /// # Errors
    /// If a share is not in `0 <= share < 1`, if both leave no training samples, if there are fewer than 3 folds, if a range ends before
    /// it starts, or if two ranges overlap.
    pub const fn check(&self) -> CheckResult {
        match self {
            Self::Random { validation, test }
            | Self::Stratified { validation, test }
            | Self::Grouped { validation, test }
            | Self::InOrder { validation, test } => shares(*validation, *test),
            Self::Fold { of, fold } | Self::GroupedFold { of, fold } => folds(*of, *fold),
            Self::Fixed { train, validation, test } => ranges(train, validation, test),
        }
    }

    /// In order, with a tenth each for validation and test, for samples as in [`Split::without_overlap`]. Of so few samples that each
    /// of a part would be left out, that part is empty.
    pub(super) fn default_in_order(len: usize, first_after: &dyn Fn(usize) -> usize) -> Result<Self> {
        let with = |validation, test| Self::InOrder { validation, test }.without_overlap(len, first_after);
        with(0.1, 0.1).or_else(|_| with(0.0, 0.1)).or_else(|_| with(0.0, 0.0))
    }

    /// The same for `len` samples of which some share values with the next ones: windows of a text or a series. `first_after` returns
    /// the first sample that shares nothing with a sample and the ones before it. In order, the samples at the end of a part that share
    /// values with the next part are left out.
    ///
    /// # Errors
    /// If the split is not valid, or if a part would share values with another.
    pub(super) fn without_overlap(self, len: usize, first_after: &dyn Fn(usize) -> usize) -> Result<Self> {
        self.check().map_err(|problem| Error::Dataset(format!("split: {problem}")))?;
        match &self {
            Self::Random { .. }
            | Self::Stratified { .. }
            | Self::Fold { .. }
            | Self::Grouped { .. }
            | Self::GroupedFold { .. } => {
                if let Some(window) = (0..len).find(|&window| first_after(window) > window + 1) {
                    return Err(Error::Dataset(format!(
                        "split: windows {window} and {} overlap, so a random split would put the same values in training and test; \
                         expected `Split::InOrder`, or a larger stride",
                        window + 1
                    )));
                }
                Ok(self)
            }
            Self::InOrder { validation, test } => {
                let start_of_test = len - portion(*test, len).min(len);
                let start = start_of_test - portion(*validation, len).min(start_of_test);
                let end = |part: Range<usize>, next: usize, name: &str| {
                    let end = (part.start..part.end).rev().find(|&window| first_after(window) <= next);
                    match end {
                        Some(last) => Ok(part.start..last + 1),
                        None if part.is_empty() => Ok(part),
                        None => Err(Error::Dataset(format!(
                            "split: each of the {} {name} windows overlaps the next part; expected longer data, shorter windows, or \
                             larger shares",
                            part.len()
                        ))),
                    }
                };
                let train = if start < len { end(0..start, start, "training")? } else { 0..start };
                let middle = start..start_of_test;
                let middle =
                    if start_of_test < len { end(middle, start_of_test, "validation")? } else { middle };
                if (train.end, middle.end) == (start, start_of_test) {
                    return Ok(self);
                }
                Ok(Self::Fixed { train, validation: middle, test: start_of_test..len })
            }
            Self::Fixed { train, validation, test } => {
                let parts = [("train", train), ("validation", validation), ("test", test)];
                for (name, part) in parts.iter().filter(|(_, part)| !part.is_empty() && part.end <= len) {
                    let free = first_after(part.end - 1);
                    let next = parts
                        .iter()
                        .find(|(_, next)| (part.end..free).contains(&next.start) && !next.is_empty());
                    if let Some((next_name, next)) = next {
                        return Err(Error::Dataset(format!(
                            "split: {name} is {}..{} and {next_name} is {}..{}, but window {} overlaps those up to {}; expected \
                             parts with a gap, or `Split::InOrder`, which leaves one",
                            part.start,
                            part.end,
                            next.start,
                            next.end,
                            part.end - 1,
                            free - 1
                        )));
                    }
                }
                Ok(self)
            }
        }
    }

    /// The parts of a data set with a run's seed.
    pub(super) fn parts(data: &dyn AnyDataset, seed: u64) -> Result<Parts> {
        let split = data.split();
        split.check().map_err(|problem| Error::Dataset(format!("split: {problem}")))?;
        let parts = match split {
            Self::Stratified { validation, test } => {
                Parts::stratified(&classes(data)?, seed, validation, test)
            }
            Self::Grouped { validation, test } => Groups::of(data, seed)?.parts(validation, test)?,
            Self::GroupedFold { of, fold } => Groups::of(data, seed)?.fold(of, fold)?,
            split => return split.resolve(data.len(), seed),
        };
        parts.with_training()
    }

    /// The parts of `len` samples with a run's seed.
    pub(super) fn resolve(&self, len: usize, seed: u64) -> Result<Parts> {
        self.check().map_err(|problem| Error::Dataset(format!("split: {problem}")))?;
        let parts = match self {
            Self::Random { validation, test } => {
                let order = Stream::new(seed, Purpose::Split, "").permutation(StepIndex::default(), len);
                Parts::from_end(order, *validation, *test)
            }
            Self::Stratified { .. } | Self::Grouped { .. } | Self::GroupedFold { .. } => {
                return Err(Error::Internal("this split needs the classes or groups of the samples"));
            }
            Self::Fold { of, fold } => {
                let order = Stream::new(seed, Purpose::Split, "").permutation(StepIndex::default(), len);
                Parts::fold(&order, *of, *fold)
            }
            Self::InOrder { validation, test } => Parts::from_end((0..len).collect(), *validation, *test),
            Self::Fixed { train, validation, test } => {
                for (name, range) in [("train", train), ("validation", validation), ("test", test)] {
                    if range.end > len {
                        return Err(Error::Dataset(format!(
                            "split: {name} is {}..{}, but there are {len} samples",
                            range.start, range.end
                        )));
                    }
                }
                let all = Range::collect;
                Parts {
                    train: all(train.clone()),
                    validation: all(validation.clone()),
                    test: all(test.clone()),
                }
            }
        };
        parts.with_training()
    }
}

/// The number of training samples of a data set; no sample is read.
pub(crate) fn training_samples(data: &dyn AnyDataset, seed: u64) -> Result<usize> {
    Ok(Split::parts(data, seed)?.train.len())
}

/// Whether the target is one class.
pub(super) fn has_one_class(data: &dyn AnyDataset) -> bool {
    let is_class = |shape: &Shape| shape.rank() == 0 && shape.vocabulary().is_some();
    matches!(data.target_shapes(), [shape] if is_class(shape))
}

/// The class of each sample.
pub(super) fn classes(data: &dyn AnyDataset) -> Result<Vec<u32>> {
    /// How many samples are read at a time.
    const CHUNK: usize = 100;
    if !has_one_class(data) {
        return Err(Error::Dataset(
            "split: the target is not one class; expected `Split::Random` instead of `Split::Stratified`"
                .to_owned(),
        ));
    }
    let interrupt = Interrupt::current();
    let mut classes = Vec::new();
    for start in (0..data.len()).step_by(CHUNK) {
        interrupt.check()?;
        let indices: Vec<usize> = (start..data.len().min(start + CHUNK)).collect();
        for target in data.batch(&indices)?.targets {
            if let Elements::Int(of_batch) = target.elements {
                classes.extend(of_batch);
            }
        }
    }
    Ok(classes)
}

const fn folds(of: usize, fold: usize) -> CheckResult {
    if of < 3 {
        let problem = CheckError::new("of is ").number(of);
        return Err(problem.text(
            "; expected at least 3 folds: one for test, one for validation, and the rest for training",
        ));
    }
    if fold >= of {
        let problem = CheckError::new("fold is ").number(fold).text("; expected a number below ");
        return Err(problem.number(of).text(", the number of folds"));
    }
    Ok(())
}

const fn shares(validation: f64, test: f64) -> CheckResult {
    let named = [("validation", validation), ("test", test)];
    let mut each = named.as_slice();
    while let [(name, share), rest @ ..] = each {
        if !(*share >= 0.0 && *share < 1.0) {
            return Err(CheckError::new(name)
                .text(" is ")
                .float(*share)
                .text("; expected 0 <= ")
                .text(name)
                .text(" < 1"));
        }
        each = rest;
    }
    if validation + test >= 1.0 {
        return Err(CheckError::new("validation and test are ")
            .float(validation)
            .text(" and ")
            .float(test)
            .text("; expected a sum below 1, so that training samples are left"));
    }
    Ok(())
}

const fn ranges(train: &Range<usize>, validation: &Range<usize>, test: &Range<usize>) -> CheckResult {
    let named = [("train", train), ("validation", validation), ("test", test)];
    let mut each = named.as_slice();
    while let [(name, range), rest @ ..] = each {
        if range.start > range.end {
            return Err(shown(name, range).text(", which ends before it starts"));
        }
        each = rest;
    }
    let [first, second, third] = named;
    let pairs = [(first, second), (first, third), (second, third)];
    let mut each = pairs.as_slice();
    while let [((a_name, a), (b_name, b)), rest @ ..] = each {
        let start = if a.start > b.start { a.start } else { b.start };
        let end = if a.end < b.end { a.end } else { b.end };
        if start < end {
            let problem = shown(a_name, a).text(" and ").text(shown(b_name, b).as_str());
            return Err(problem.text("; expected ranges that do not overlap"));
        }
        each = rest;
    }
    Ok(())
}

const fn shown(name: &str, range: &Range<usize>) -> CheckError {
    CheckError::new(name).text(" is ").number(range.start).text("..").number(range.end)
}

#[cfg(test)]
mod tests;
