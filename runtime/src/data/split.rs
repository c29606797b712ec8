//! Which samples are for training, validation and test.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::AnyDataset;
use crate::error::{Error, Result};
use crate::rng::{Purpose, StepIndex, Stream};
use crate::shape::{CheckError, CheckResult};

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

/// The sample indices of each part, in ascending order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) train: Vec<usize>,
    pub(super) validation: Vec<usize>,
    pub(super) test: Vec<usize>,
}

impl Split {
    /// A random tenth for validation and another for test.
    pub const DEFAULT: Self = Self::Random { validation: 0.1, test: 0.1 };

    /// Checks the rules that need no data.
    ///
    /// # Errors
    /// If a share is not in `0 <= share < 1`, if both leave no training samples, if a range ends before
    /// it starts, or if two ranges overlap.
    pub const fn check(&self) -> CheckResult {
        match self {
            Self::Random { validation, test } | Self::InOrder { validation, test } => {
                shares(*validation, *test)
            }
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
            Self::Random { .. } => {
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

    /// The parts of `len` samples with a run's seed.
    pub(super) fn resolve(&self, len: usize, seed: u64) -> Result<Parts> {
        self.check().map_err(|problem| Error::Dataset(format!("split: {problem}")))?;
        let parts = match self {
            Self::Random { validation, test } => {
                let order = Stream::new(seed, Purpose::Split, "").permutation(StepIndex::default(), len);
                Parts::from_end(order, *validation, *test)
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
        if parts.train.is_empty() {
            return Err(Error::Dataset(format!(
                "split: none of the {len} samples is for training; expected at least one"
            )));
        }
        Ok(parts)
    }
}

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Training,
    Validation,
    Test,
}

impl Part {
    pub(super) const ALL: [Self; 3] = [Self::Training, Self::Validation, Self::Test];
}

impl Parts {
    /// The part of each of `len` samples; `None` for a sample in no part.
    pub(super) fn of_each(&self, len: usize) -> Vec<Option<Part>> {
        let mut each = vec![None; len];
        for (part, indices) in Part::ALL.into_iter().zip([&self.train, &self.validation, &self.test]) {
            for &index in indices {
                if let Some(of_sample) = each.get_mut(index) {
                    *of_sample = Some(part);
                }
            }
        }
        each
    }

    /// Takes the last samples of an order for test, those before them for validation, the rest for training.
    fn from_end(mut order: Vec<usize>, validation: f64, test: f64) -> Self {
        let len = order.len();
        let mut take = |count: usize| {
            let mut part = order.split_off(order.len().saturating_sub(count));
            part.sort_unstable();
            part
        };
        let test = take(portion(test, len));
        let validation = take(portion(validation, len));
        Self { train: take(len), validation, test }
    }
}

/// The number of training samples of a data set; no sample is read.
pub(crate) fn training_samples(data: &dyn AnyDataset, seed: u64) -> Result<usize> {
    Ok(data.split().resolve(data.len(), seed)?.train.len())
}

/// `floor(share * len)`. A share is the f64 nearest to the written value, and the product is rounded again,
/// so it may lie slightly below the intended whole number: 0.29 of 100 is 28.999999999999996.
fn portion(share: f64, len: usize) -> usize {
    (share * len as f64 * (1.0 + 4.0 * f64::EPSILON)).floor() as usize
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
