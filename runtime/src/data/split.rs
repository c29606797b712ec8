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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn problem(split: &Split, len: usize) -> String {
        split.resolve(len, 1).unwrap_err().to_string()
    }

    proptest! {
        #[test]
        fn splits_are_disjoint_sorted_and_complete(
            len in 1_usize..300, seed: u64, validation in 0.0..0.5_f64, test in 0.0..0.5_f64,
        ) {
            let parts = Split::Random { validation, test }.resolve(len, seed).unwrap();
            for part in [&parts.train, &parts.validation, &parts.test] {
                prop_assert!(part.is_sorted());
            }
            prop_assert_eq!(parts.test.len(), (test * len as f64).floor() as usize);
            prop_assert_eq!(parts.validation.len(), (validation * len as f64).floor() as usize);
            let mut all = [parts.train, parts.validation, parts.test].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..len).collect::<Vec<_>>());
        }
    }

    #[test]
    fn test_split_does_not_depend_on_validation_share() {
        let split = |validation, seed| Split::Random { validation, test: 0.25 }.resolve(80, seed).unwrap();
        assert_eq!(split(0.1, 1), split(0.1, 1));
        assert_ne!(split(0.1, 1), split(0.1, 2));
        assert_eq!(split(0.1, 1).test, split(0.5, 1).test);
    }

    #[test]
    fn exact_share_gives_exact_sample_count() {
        for (share, len, count) in [(0.29, 100, 29), (0.1, 30, 3), (0.7, 10, 7), (0.1, 9, 0), (0.0, 9, 0)] {
            assert_eq!(portion(share, len), count, "{share} of {len}");
        }
    }

    #[test]
    fn folds_test_every_sample_once() {
        for (len, of) in [(10, 3), (12, 4), (7, 7), (100, 5)] {
            let folds: Vec<_> =
                (0..of).map(|fold| Split::Fold { of, fold }.resolve(len, 3).unwrap()).collect();
            for (fold, parts) in folds.iter().enumerate() {
                assert_eq!(parts.validation, folds[(fold + 1) % of].test);
                let mut all = [parts.train.clone(), parts.validation.clone(), parts.test.clone()].concat();
                all.sort_unstable();
                assert_eq!(all, (0..len).collect::<Vec<_>>());
                assert!((len / of..=len.div_ceil(of)).contains(&parts.test.len()));
            }
            let mut tested: Vec<_> = folds.iter().flat_map(|parts| parts.test.clone()).collect();
            tested.sort_unstable();
            assert_eq!(tested, (0..len).collect::<Vec<_>>());
        }
    }

    proptest! {
        #[test]
        fn stratified_parts_have_each_class_in_proportion(
            classes in prop::collection::vec(0..4_u32, 1..200), seed: u64, validation in 0.0..0.4_f64, test in 0.0..0.4_f64,
        ) {
            let parts = Parts::stratified(&classes, seed, validation, test);
            let mut all = [parts.train.clone(), parts.validation.clone(), parts.test.clone()].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..classes.len()).collect::<Vec<_>>());
            prop_assert_eq!(parts.test.len(), portion(test, classes.len()));
            prop_assert_eq!(parts.validation.len(), portion(validation, classes.len()));
            for class in 0..4 {
                let count = |part: &[usize]| part.iter().filter(|&&index| classes[index] == class).count() as f64;
                let samples = classes.iter().filter(|other| **other == class).count() as f64;
                prop_assert!((count(&parts.test) - test * samples).abs() <= 1.0 + 1e-9);
                prop_assert!((count(&parts.validation) - validation * samples).abs() <= 1.0 + 1e-9);
            }
        }
    }

    #[test]
    fn stratified_split_reads_the_classes_of_the_data() {
        use crate::data::{Dataset, InMemory};
        use crate::shape::{Class, Features, Values};

        let split = Split::Stratified { validation: 0.2, test: 0.2 };
        let classes: Vec<u32> = (0..250).map(|index| u32::from(index % 10 == 0)).collect();
        let data = InMemory::<Features<1>, Class<2>>::new(vec![0.0; 250], classes.clone()).unwrap();
        let parts = Split::parts(&data.with_split(split.clone()), 1).unwrap();
        let ones = |part: &[usize]| part.iter().filter(|&&index| classes[index] == 1).count();
        assert_eq!((ones(&parts.train), ones(&parts.validation), ones(&parts.test)), (15, 5, 5));
        let values = InMemory::<Features<1>, Values<1>>::new(vec![0.0; 9], vec![0.0; 9]).unwrap();
        assert_eq!(
            Split::parts(&values.with_split(split), 1).unwrap_err().to_string(),
            "data: split: the target is not one class; expected `Split::Random` instead of `Split::Stratified`"
        );
    }

    #[test]
    fn fixed_split_is_used_unchanged() {
        let parts = Split::Fixed { train: 2..4, validation: 0..1, test: 4..4 }.resolve(5, 1).unwrap();
        assert_eq!(parts, Parts { train: vec![2, 3], validation: vec![0], test: vec![] });
    }

    #[test]
    fn ordered_split_is_contiguous() {
        let parts = Split::InOrder { validation: 0.2, test: 0.3 }.resolve(10, 1).unwrap();
        let expected = Parts { train: (0..5).collect(), validation: vec![5, 6], test: vec![7, 8, 9] };
        assert_eq!(parts, expected);
        let parts = Split::InOrder { validation: 0.0, test: 0.05 }.resolve(10, 1).unwrap();
        assert_eq!(parts, Parts { train: (0..10).collect(), validation: vec![], test: vec![] });
    }

    /// Windows that overlap the next two.
    #[test]
    fn overlapping_windows_are_left_out_between_parts() {
        let split = |split: Split, reach| split.without_overlap(20, &|window| window + reach);
        let in_order = |validation, test| Split::InOrder { validation, test };
        let fixed = |train, validation, test| Split::Fixed { train, validation, test };
        for (shares, reach, expected) in [
            (in_order(0.2, 0.3), 1, in_order(0.2, 0.3)),
            (in_order(0.2, 0.3), 3, fixed(0..8, 10..12, 14..20)),
            (in_order(0.0, 0.3), 3, fixed(0..12, 14..14, 14..20)),
            (in_order(0.2, 0.0), 3, fixed(0..14, 16..20, 20..20)),
            (in_order(0.0, 0.0), 3, in_order(0.0, 0.0)),
            (Split::DEFAULT, 1, Split::DEFAULT),
            (fixed(0..8, 10..12, 14..20), 3, fixed(0..8, 10..12, 14..20)),
        ] {
            assert_eq!(split(shares.clone(), reach).unwrap(), expected, "{shares:?}");
        }
        for (shares, sentence) in [
            (
                Split::DEFAULT,
                "data: split: windows 0 and 1 overlap, so a random split would put the same values in training and test; expected \
                 `Split::InOrder`, or a larger stride",
            ),
            (
                in_order(0.1, 0.3),
                "data: split: each of the 2 validation windows overlaps the next part; expected longer data, shorter windows, or \
                 larger shares",
            ),
            (
                fixed(0..9, 10..12, 14..20),
                "data: split: train is 0..9 and validation is 10..12, but window 8 overlaps those up to 10; expected parts with a \
                 gap, or `Split::InOrder`, which leaves one",
            ),
            (in_order(1.0, 0.0), "data: split: validation is 1; expected 0 <= validation < 1"),
        ] {
            assert_eq!(split(shares, 3).unwrap_err().to_string(), sentence);
        }
    }

    #[test]
    fn invalid_split_is_rejected() {
        let random = |validation, test| Split::Random { validation, test };
        let fixed = |train, validation, test| Split::Fixed { train, validation, test };
        #[expect(clippy::reversed_empty_ranges, reason = "the mistake under test")]
        let reversed = fixed(3..1, 0..0, 0..0);
        for (split, sentence) in [
            (random(1.0, 0.0), "data: split: validation is 1; expected 0 <= validation < 1"),
            (random(0.1, -0.1), "data: split: test is -0.1; expected 0 <= test < 1"),
            (random(f64::NAN, 0.1), "data: split: validation is NaN; expected 0 <= validation < 1"),
            (
                random(0.5, 0.5),
                "data: split: validation and test are 0.5 and 0.5; expected a sum below 1, so that \
                 training samples are left",
            ),
            (
                Split::InOrder { validation: 0.2, test: 1.5 },
                "data: split: test is 1.5; expected 0 <= test < 1",
            ),
            (
                Split::Fold { of: 2, fold: 0 },
                "data: split: of is 2; expected at least 3 folds: one for test, one for validation, and the rest for training",
            ),
            (
                Split::Fold { of: 5, fold: 5 },
                "data: split: fold is 5; expected a number below 5, the number of folds",
            ),
            (reversed, "data: split: train is 3..1, which ends before it starts"),
            (
                fixed(0..6, 5..8, 8..10),
                "data: split: train is 0..6 and validation is 5..8; expected ranges that do not overlap",
            ),
            (fixed(0..6, 6..8, 8..11), "data: split: test is 8..11, but there are 10 samples"),
            (
                fixed(0..0, 0..8, 8..10),
                "data: split: none of the 10 samples is for training; expected at least one",
            ),
        ] {
            assert_eq!(problem(&split, 10), sentence);
        }
        assert_eq!(
            problem(&Split::DEFAULT, 0),
            "data: split: none of the 0 samples is for training; expected at least one"
        );
    }
}
