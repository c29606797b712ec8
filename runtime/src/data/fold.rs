//! The parts of a cross-validation.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::parts::Parts;
use super::split::{classes, has_one_class};
use super::{AnyDataset, Split};
use crate::error::{Error, Result};
use crate::rng::{Purpose, StepIndex, Stream};

/// One fold of a cross-validation: of `of` folds, that with the number `fold` is for validation, the others for training.
///
/// The samples that the data set's split has for training and validation are divided at random, from the run's seed, into folds whose sizes
/// differ by at most 1. If the target is one class, the numbers of samples of each class differ by at most 1 too. The test samples of the split
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
    /// Whether each class is divided.
    pub(crate) is_stratified: bool,
}

impl Fold {
    /// The parts, with what they are taken from.
    ///
    /// # Errors
    /// If the samples cannot be exchanged, or if there are more folds than samples.
    pub(super) fn parts(self, data: &dyn AnyDataset, seed: u64) -> Result<(Parts, FoldPlan)> {
        let problem = |problem: String| Err(Error::Setting { key: "folds".to_owned(), problem });
        let in_order = match data.split() {
            Split::Random { .. } | Split::Stratified { .. } | Split::Fold { .. } => None,
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
                 `Split::Random` or `Split::Stratified`"
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
        let is_stratified = has_one_class(data);
        let classes = if is_stratified { classes(data)? } else { Vec::new() };
        let plan = FoldPlan { samples: samples.len(), left_out: test.len(), is_stratified };
        let class = |sample: usize| classes.get(sample).copied().unwrap_or(0);
        Ok((self.of_order(&order(&samples, class, seed)), plan))
    }

    /// Deals the samples of an order to the folds, one after the other.
    fn of_order(self, order: &[usize]) -> Parts {
        let mut parts = Parts { train: Vec::new(), validation: Vec::new(), test: Vec::new() };
        for (place, &sample) in order.iter().enumerate() {
            let is_held_out = place % self.of.max(1) == self.fold;
            if is_held_out { &mut parts.validation } else { &mut parts.train }.push(sample);
        }
        parts.train.sort_unstable();
        parts.validation.sort_unstable();
        parts
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
            assert_eq!(plan, FoldPlan { samples: 30, left_out: 10, is_stratified: true });
            assert!([parts.train, parts.validation].concat().iter().all(|sample| !test.contains(sample)));
        }
        let values = InMemory::<Features<1>, Values<1>>::new(vec![0.0; 40], vec![0.0; 40]).unwrap();
        assert!(!Fold { of: 3, fold: 0 }.parts(&values.with_split(split), 7).unwrap().1.is_stratified);
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
             `Split::Random` or `Split::Stratified`"
        );
        assert!(problem(&data().in_time_order(), 3).starts_with("folds: the data are a time series"));
    }
}
