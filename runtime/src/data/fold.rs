//! The parts of a cross-validation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::groups::Groups;
use super::parts::Parts;
use super::split::{classes, has_one_class};
use super::{AnyDataset, Split};
use crate::error::{Error, Result};
use crate::rng::{Purpose, StepIndex, Stream};

/// One fold of a cross-validation: of `of` folds, that with the number `fold` is for validation, the others for training.
///
/// The samples that the data set's split has for training and validation are divided at random, from the run's seed, into folds whose sizes
/// differ by at most 1. If the target is one class, the numbers of samples of each class differ by at most 1 too. If the split keeps groups
/// together, so do the folds, whose sizes then differ by at most the size of the largest group. The test samples of the split
/// are left out, so that they stay unseen until the model is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fold {
    pub(crate) of: usize,
    /// From 0.
    pub(crate) fold: usize,
}

/// What is divided into folds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FoldPlan {
    /// The number of samples.
    pub(crate) samples: usize,
    /// The test samples of the split.
    pub(crate) left_out: usize,
    pub(crate) division: Division,
}

/// How samples are divided into folds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Division {
    /// At random.
    Random,
    /// Each class on its own, at random: the target is one class.
    Classes,
    /// Groups stay together: the data are divided by [`Split::Grouped`] or [`Split::GroupedFold`].
    Groups,
}

impl Fold {
    /// The parts, with what they are taken from.
    ///
    /// # Errors
    /// If the samples cannot be exchanged, or if there are more folds than samples.
    pub(super) fn parts(self, data: &dyn AnyDataset, seed: u64) -> Result<(Parts, FoldPlan)> {
        let problem = |problem: String| Err(Error::Setting { key: "folds".to_owned(), problem });
        let in_order = match data.split() {
            Split::Random { .. }
            | Split::Stratified { .. }
            | Split::Fold { .. }
            | Split::Grouped { .. }
            | Split::GroupedFold { .. } => None,
            Split::InOrder { .. } => Some("InOrder"),
            Split::Fixed { .. } => Some("Fixed"),
        };
        if data.is_time_series() {
            return problem(
                "the data are a time series, so a model would be validated on the past of its training samples; expected data whose \
                 samples are independent"
                    .to_owned(),
            );
        }
        if let Some(name) = in_order {
            return problem(format!(
                "the split is `Split::{name}`, which assigns each sample to a part, and folds divide the samples at random; expected \
                 `Split::Random`, `Split::Stratified` or `Split::Grouped`"
            ));
        }
        let Parts { train, validation, test } = Split::parts(data, seed)?;
        let mut samples = [train, validation].concat();
        samples.sort_unstable();
        if !(2..=samples.len()).contains(&self.of) {
            return problem(format!(
                "k is {}; expected 2 to {}, the number of training and validation samples",
                self.of,
                samples.len()
            ));
        }
        let plan = FoldPlan { samples: samples.len(), left_out: test.len(), division: Division::Random };
        if matches!(data.split(), Split::Grouped { .. } | Split::GroupedFold { .. }) {
            let folds = Groups::of(data, seed)?.among(&samples).folds(self.of)?;
            return Ok((self.of_folds(folds), FoldPlan { division: Division::Groups, ..plan }));
        }
        let is_stratified = has_one_class(data);
        let classes = if is_stratified { classes(data)? } else { Vec::new() };
        let division = if is_stratified { Division::Classes } else { Division::Random };
        let plan = FoldPlan { division, ..plan };
        let class = |sample: usize| classes.get(sample).copied().unwrap_or(0);
        Ok((self.of_order(&order(&samples, class, seed)), plan))
    }

    /// Deals the samples of an order to the folds, one after the other.
    fn of_order(self, order: &[usize]) -> Parts {
        let mut folds = vec![Vec::new(); self.of];
        for (sample, fold) in order.iter().zip((0..self.of).cycle()) {
            if let Some(fold) = folds.get_mut(fold) {
                fold.push(*sample);
            }
        }
        self.of_folds(folds)
    }

    fn of_folds(self, mut folds: Vec<Vec<usize>>) -> Parts {
        let validation = folds.get_mut(self.fold).map(std::mem::take).unwrap_or_default();
        Parts { train: folds.concat(), validation, test: Vec::new() }.sorted()
    }
}

/// The samples class by class, each class in a random order.
fn order(samples: &[usize], class: impl Fn(usize) -> u32, seed: u64) -> Vec<usize> {
    let mut of_class: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for &sample in samples {
        of_class.entry(class(sample)).or_default().push(sample);
    }
    let stream = Stream::new(seed, Purpose::Split, "folds");
    let mut all = Vec::with_capacity(samples.len());
    for (class, samples) in of_class {
        let at = StepIndex { step: u64::from(class), micro_batch: 0 };
        let order = stream.permutation(at, samples.len());
        all.extend(order.into_iter().filter_map(|place| samples.get(place).copied()));
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::{Dataset, InMemory};
    use crate::shape::{Class, Features, Values};

    proptest! {
        #[test]
        fn folds_validate_each_sample_once_and_divide_each_class(
            classes in prop::collection::vec(0..3_u32, 2..80), of in 2..12_usize, seed: u64,
        ) {
            let samples: Vec<usize> = (0..classes.len()).filter(|sample| sample % 5 != 4).collect();
            prop_assume!(samples.len() >= of);
            let order = order(&samples, |sample| classes[sample], seed);
            let parts: Vec<_> = (0..of).map(|fold| Fold { of, fold }.of_order(&order)).collect();
            let mut validated: Vec<_> = parts.iter().flat_map(|parts| parts.validation.clone()).collect();
            validated.sort_unstable();
            prop_assert_eq!(&validated, &samples);
            for class in 0..3 {
                let count = |parts: &Parts| parts.validation.iter().filter(|sample| classes[**sample] == class).count();
                let counts: Vec<_> = parts.iter().map(count).collect();
                prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{:?}", counts);
            }
            for Parts { train, validation, test } in parts {
                prop_assert!((samples.len() / of..=samples.len().div_ceil(of)).contains(&validation.len()));
                let mut all = [train, validation].concat();
                all.sort_unstable();
                prop_assert_eq!(&all, &samples);
                prop_assert!(test.is_empty());
            }
        }
    }

    fn problem(data: &dyn AnyDataset, of: usize) -> String {
        Fold { of, fold: 0 }.parts(data, 1).unwrap_err().to_string()
    }

    #[test]
    fn test_samples_are_left_out_of_all_folds() {
        let data =
            InMemory::<Features<1>, Class<2>>::new(vec![0.0; 40], (0..40).map(|i| i % 2).collect()).unwrap();
        let split = Split::Random { validation: 0.1, test: 0.25 };
        let data = data.with_split(split.clone());
        let test = Split::parts(&data, 7).unwrap().test;
        for fold in 0..3 {
            let (parts, plan) = Fold { of: 3, fold }.parts(&data, 7).unwrap();
            assert_eq!(plan, FoldPlan { samples: 30, left_out: 10, division: Division::Classes });
            assert!([parts.train, parts.validation].concat().iter().all(|sample| !test.contains(sample)));
        }
        let values = InMemory::<Features<1>, Values<1>>::new(vec![0.0; 40], vec![0.0; 40]).unwrap();
        let (_, plan) = Fold { of: 3, fold: 0 }.parts(&values.with_split(split), 7).unwrap();
        assert_eq!(plan.division, Division::Random);
    }

    #[test]
    fn groups_stay_in_one_fold() {
        let data =
            InMemory::<Features<1>, Class<2>>::new(vec![0.0; 40], (0..40).map(|i| i % 2).collect()).unwrap();
        let groups: Vec<u64> = (0..40).map(|sample| sample / 4).collect();
        let data = data.with_groups(groups).with_split(Split::Grouped { validation: 0.1, test: 0.1 });
        let left_out = Split::parts(&data, 7).unwrap().test;
        let mut validated = Vec::new();
        for fold in 0..4 {
            let (parts, plan) = Fold { of: 4, fold }.parts(&data, 7).unwrap();
            assert_eq!(plan, FoldPlan { samples: 36, left_out: 4, division: Division::Groups });
            let group = |sample: &usize| sample / 4;
            assert!(
                !parts
                    .validation
                    .iter()
                    .any(|held| parts.train.iter().any(|other| group(other) == group(held)))
            );
            assert_eq!(parts.train.len() + parts.validation.len(), 36);
            validated.extend(parts.validation);
        }
        validated.extend(left_out);
        validated.sort_unstable();
        assert!(validated.into_iter().eq(0..40));
        assert_eq!(
            problem(&data, 10),
            "data: split: there are 9 groups for 10 folds, and the samples of a group stay together; expected at least 10 groups"
        );
    }

    #[test]
    fn samples_that_cannot_be_exchanged_are_rejected() {
        let data = || InMemory::<Features<1>, Values<1>>::new(vec![0.0; 40], vec![0.0; 40]).unwrap();
        assert_eq!(
            problem(&data(), 1),
            "folds: k is 1; expected 2 to 36, the number of training and validation samples"
        );
        assert!(problem(&data(), 37).starts_with("folds: k is 37; expected 2 to 36"));
        assert!(Fold { of: 36, fold: 35 }.parts(&data(), 1).is_ok());
        let ordered = data().with_split(Split::InOrder { validation: 0.1, test: 0.1 });
        assert_eq!(
            problem(&ordered, 3),
            "folds: the split is `Split::InOrder`, which assigns each sample to a part, and folds divide the samples at random; expected \
             `Split::Random`, `Split::Stratified` or `Split::Grouped`"
        );
        assert!(problem(&data().in_time_order(), 3).starts_with("folds: the data are a time series"));
    }
}
