//! Splits in which the samples of a group stay together.

use super::AnyDataset;
use super::parts::{Parts, portion};
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::rng::{Purpose, StepIndex, Stream};

/// The samples of each group, in a random order of the groups.
pub(super) struct Groups(Vec<Vec<usize>>);

impl Groups {
    /// Groups the samples of a data set with a run's seed. The order of the groups depends on the seed and on which samples belong together,
    /// not on the numbers of the groups.
    pub(super) fn of(data: &dyn AnyDataset, seed: u64) -> Result<Self> {
        let interrupt = Interrupt::current();
        let mut places = std::collections::HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for index in 0..data.len() {
            if index % 4096 == 0 {
                interrupt.check()?;
            }
            let Some(group) = data.group(index) else {
                return Err(Error::Dataset(format!(
                    "split: sample {index} (from 0) has no group; expected `.with_groups(…)` with one for each sample, a data set with \
                     `Dataset::group`, or a split without groups, such as `Split::Random`"
                )));
            };
            let place = *places.entry(group).or_insert(groups.len());
            if place == groups.len() {
                groups.push(Vec::new());
            }
            if let Some(group) = groups.get_mut(place) {
                group.push(index);
            }
        }
        let order =
            Stream::new(seed, Purpose::Split, "groups").permutation(StepIndex::default(), groups.len());
        Ok(Self(order.into_iter().filter_map(|place| groups.get_mut(place).map(std::mem::take)).collect()))
    }

    /// Takes groups for test, then for validation, as close to these shares of the samples as groups in random order come.
    pub(super) fn parts(mut self, validation: f64, test: f64) -> Result<Parts> {
        let samples = self.0.iter().map(Vec::len).sum();
        let parts = 1 + usize::from(validation > 0.0) + usize::from(test > 0.0);
        self.check(parts, "parts")?;
        let test = self.take(portion(test, samples), test > 0.0, parts - 1);
        let left = 1;
        let validation = self.take(portion(validation, samples), validation > 0.0, left);
        Ok(Parts { train: self.0.concat(), validation, test }.sorted())
    }

    /// Takes groups for a part of about `goal` samples, at least one, and leaves at least `left` groups.
    fn take(&mut self, goal: usize, is_part: bool, left: usize) -> Vec<usize> {
        if !is_part {
            return Vec::new();
        }
        let mut taken = Vec::new();
        let mut remaining = self.0.len();
        self.0.retain_mut(|group| {
            // Whether the part is closer to its share with the group, or as close.
            let is_closer = (taken.len() + group.len()).abs_diff(goal) <= goal.abs_diff(taken.len());
            let is_taken = remaining > left && is_closer;
            if is_taken {
                taken.append(group);
                remaining -= 1;
            }
            !is_taken
        });
        if taken.is_empty() {
            // Every group is larger than twice the share.
            let smallest = self.0.iter().enumerate().min_by_key(|(_, group)| group.len());
            if let Some((place, _)) = smallest {
                taken = self.0.remove(place);
            }
        }
        taken
    }

    /// Takes one of `of` parts for test, the next one for validation, and the rest for training.
    pub(super) fn fold(self, of: usize, fold: usize) -> Result<Parts> {
        let mut folds = self.folds(of)?;
        let mut take = |fold: usize| folds.get_mut(fold).map(std::mem::take).unwrap_or_default();
        let (test, validation) = (take(fold), take((fold + 1) % of));
        Ok(Parts { train: folds.concat(), validation, test }.sorted())
    }

    /// The groups without those of other samples than these, in ascending order.
    pub(super) fn among(mut self, samples: &[usize]) -> Self {
        self.0.retain(|group| group.iter().all(|sample| samples.binary_search(sample).is_ok()));
        self
    }

    /// Divides the groups into parts. The largest ones are assigned first, each to the part with the fewest samples so far.
    pub(super) fn folds(mut self, of: usize) -> Result<Vec<Vec<usize>>> {
        self.check(of, "folds")?;
        // A stable sort: groups of one size stay in their random order.
        self.0.sort_by_key(|group| std::cmp::Reverse(group.len()));
        let mut folds = vec![Vec::new(); of];
        for group in self.0 {
            if let Some(smallest) = folds.iter_mut().min_by_key(|fold| fold.len()) {
                smallest.extend(group);
            }
        }
        Ok(folds)
    }

    fn check(&self, parts: usize, what: &str) -> Result<()> {
        let groups = self.0.len();
        if groups >= parts {
            return Ok(());
        }
        let are = if groups == 1 { "there is 1 group" } else { &format!("there are {groups} groups") };
        Err(Error::Dataset(format!(
            "split: {are} for {parts} {what}, and the samples of a group stay together; expected at least {parts} groups"
        )))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::{Dataset, InMemory, PreparedDataset, Split};
    use crate::shape::{Features, Values};

    fn parts(groups: &[u64], split: Split, seed: u64) -> Result<Parts> {
        let count = groups.len();
        let data = InMemory::<Features<1>, Values<1>>::new(vec![0.0; count], vec![0.0; count]).unwrap();
        Split::parts(&data.with_groups(groups.to_vec()).with_split(split), seed)
    }

    /// Whether each group is in one part, and each sample in exactly one.
    fn check(groups: &[u64], parts: &Parts) {
        let lists = [&parts.train, &parts.validation, &parts.test];
        let mut all: Vec<_> = lists.iter().flat_map(|list| list.iter().copied()).collect();
        all.sort_unstable();
        assert_eq!(all, (0..groups.len()).collect::<Vec<_>>());
        for (number, list) in lists.iter().enumerate() {
            assert!(list.is_sorted());
            for other in &lists[number + 1..] {
                let shared = list.iter().find(|a| other.iter().any(|b| groups[**a] == groups[*b]));
                assert_eq!(shared, None);
            }
        }
    }

    proptest! {
        /// A part misses its share by at most half of the largest group, if groups are small compared with the parts.
        #[test]
        fn groups_stay_together(groups in prop::collection::vec(0_u64..30, 60..200), seed: u64) {
            let split = Split::Grouped { validation: 0.2, test: 0.3 };
            let parts = parts(&groups, split, seed).unwrap();
            check(&groups, &parts);
            let largest = (0..30).map(|id| groups.iter().filter(|group| **group == id).count()).max().unwrap();
            let goal = |share: f64| (share * groups.len() as f64).floor() as usize;
            prop_assert!(parts.test.len().abs_diff(goal(0.3)) <= largest.div_ceil(2), "{}", parts.test.len());
            prop_assert!(parts.validation.len().abs_diff(goal(0.2)) <= largest.div_ceil(2));
        }

        #[test]
        fn grouped_folds_test_every_group_once(groups in prop::collection::vec(0_u64..30, 100..200), seed: u64) {
            let folds: Vec<_> = (0..4)
                .map(|fold| parts(&groups, Split::GroupedFold { of: 4, fold }, seed).unwrap())
                .collect();
            let largest = (0..30).map(|id| groups.iter().filter(|group| **group == id).count()).max().unwrap();
            let mut tested = Vec::new();
            for (number, parts) in folds.iter().enumerate() {
                check(&groups, parts);
                prop_assert_eq!(&parts.validation, &folds[(number + 1) % 4].test);
                tested.extend(parts.test.clone());
            }
            tested.sort_unstable();
            prop_assert_eq!(tested, (0..groups.len()).collect::<Vec<_>>());
            let sizes: Vec<_> = folds.iter().map(|parts| parts.test.len()).collect();
            prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= largest, "{sizes:?}");
        }
    }

    #[test]
    fn order_depends_on_seed_and_not_on_group_numbers() {
        let groups: Vec<u64> = (0..60).map(|index| index / 3).collect();
        let split = || Split::Grouped { validation: 0.2, test: 0.2 };
        let named: Vec<u64> = groups.iter().map(|group| u64::MAX - group * 977).collect();
        assert_eq!(parts(&groups, split(), 1).unwrap(), parts(&named, split(), 1).unwrap());
        assert_ne!(parts(&groups, split(), 1).unwrap(), parts(&groups, split(), 2).unwrap());
    }

    #[test]
    fn each_part_has_a_group_although_groups_are_large() {
        let groups = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2];
        let three = parts(&groups, Split::Grouped { validation: 0.1, test: 0.1 }, 3).unwrap();
        check(&groups, &three);
        assert!(![&three.train, &three.validation, &three.test].iter().any(|part| part.is_empty()));
        let two = parts(&groups, Split::Grouped { validation: 0.0, test: 0.3 }, 3).unwrap();
        assert!(two.validation.is_empty() && two.test.len() >= 3);
    }

    #[test]
    fn data_without_enough_groups_are_rejected() {
        let split = Split::Grouped { validation: 0.1, test: 0.1 };
        let said = |groups: &[u64], split: Split| parts(groups, split, 1).unwrap_err().to_string();
        assert_eq!(
            said(&[5, 5, 7, 7], split.clone()),
            "data: split: there are 2 groups for 3 parts, and the samples of a group stay together; expected at least 3 groups"
        );
        assert!(
            said(&[5; 4], Split::GroupedFold { of: 3, fold: 0 }).contains("there is 1 group for 3 folds")
        );
        assert!(
            said(&[1, 2, 3], Split::GroupedFold { of: 3, fold: 3 })
                .contains("fold is 3; expected a number below 3")
        );
        assert!(
            said(&[1, 2, 3], Split::Grouped { validation: 0.5, test: 0.5 })
                .contains("expected a sum below 1")
        );
        let data = InMemory::<Features<1>, Values<1>>::new(vec![0.0; 9], vec![0.0; 9]).unwrap();
        let problem = PreparedDataset::new(Box::new(data.with_split(split.clone())), 1).err().unwrap();
        assert!(problem.to_string().contains("sample 0 (from 0) has no group; expected `.with_groups(…)`"));
        let data = InMemory::<Features<1>, Values<1>>::new(vec![0.0; 9], vec![0.0; 9]).unwrap();
        let data = data.with_groups(vec![1, 2, 3]).with_split(split);
        let problem = PreparedDataset::new(Box::new(data), 1).err().unwrap().to_string();
        assert!(problem.contains("sample 3 (from 0) has no group"), "{problem}");
    }
}
