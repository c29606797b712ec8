//! The samples of each part of a split.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::rng::{Purpose, StepIndex, Stream};

/// The sample indices of each part, in ascending order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) train: Vec<usize>,
    pub(super) validation: Vec<usize>,
    pub(super) test: Vec<usize>,
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

    /// The part of a sample.
    pub(super) fn of(&self, index: usize) -> Option<Part> {
        let parts = Part::ALL.into_iter().zip([&self.train, &self.validation, &self.test]);
        parts.into_iter().find(|(_, indices)| indices.binary_search(&index).is_ok()).map(|(part, _)| part)
    }

    /// Checks that there are training samples.
    pub(super) fn with_training(self) -> Result<Self> {
        if self.train.is_empty() {
            return Err(Error::Dataset(format!(
                "split: none of the {} samples is for training; expected at least one",
                self.validation.len() + self.test.len()
            )));
        }
        Ok(self)
    }

    /// Takes the same shares of each class.
    pub(super) fn stratified(classes: &[u32], seed: u64, validation: f64, test: f64) -> Self {
        let mut of_class: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (index, &class) in classes.iter().enumerate() {
            of_class.entry(class).or_default().push(index);
        }
        let stream = Stream::new(seed, Purpose::Split, "");
        let mut parts = Self { train: Vec::new(), validation: Vec::new(), test: Vec::new() };
        // Of each class: the samples that are not for test or validation, and how many more than its share are for validation.
        let mut rest: Vec<(Vec<usize>, f64)> = Vec::new();
        let mut before = 0;
        for (class, indices) in of_class {
            let at = StepIndex { step: u64::from(class) + 1, micro_batch: 0 };
            let order = stream.permutation(at, indices.len());
            let mut order = order.into_iter().filter_map(|place| indices.get(place).copied());
            // Counted over all classes so far, so that the sizes of the parts are not rounded for each class.
            let after = before + indices.len();
            let count = |share: f64| portion(share, after) - portion(share, before);
            parts.test.extend(order.by_ref().take(count(test)));
            let others = parts.validation.len();
            parts.validation.extend(order.by_ref().take(count(validation)));
            let excess = (parts.validation.len() - others) as f64 - validation * indices.len() as f64;
            rest.push((order.collect(), excess));
            before = after;
        }
        // A small class may have had too few samples for both. Then another class gives one, which has the fewest for its share.
        for _ in parts.validation.len()..portion(validation, before) {
            let rest = rest.iter_mut().filter(|(rest, _)| !rest.is_empty());
            let Some((samples, excess)) = rest.min_by(|a, b| a.1.total_cmp(&b.1)) else { break };
            parts.validation.extend(samples.pop());
            *excess += 1.0;
        }
        parts.train = rest.into_iter().flat_map(|(rest, _)| rest).collect();
        parts.sorted()
    }

    /// Takes part `fold` of an order for test, the next one for validation, the rest for training.
    pub(super) fn fold(order: &[usize], of: usize, fold: usize) -> Self {
        let len = order.len() as u128;
        // The product of a length and a number of parts may be above the largest usize.
        let place = |part: usize| (len * part as u128 / of.max(1) as u128) as usize;
        let part = |number: usize| place(number)..place(number + 1);
        let (test, validation) = (part(fold), part((fold + 1) % of.max(1)));
        let mut parts = Self { train: Vec::new(), validation: Vec::new(), test: Vec::new() };
        for (place, &index) in order.iter().enumerate() {
            let list = if test.contains(&place) {
                &mut parts.test
            } else if validation.contains(&place) {
                &mut parts.validation
            } else {
                &mut parts.train
            };
            list.push(index);
        }
        parts.sorted()
    }

    pub(super) fn sorted(mut self) -> Self {
        for part in [&mut self.train, &mut self.validation, &mut self.test] {
            part.sort_unstable();
        }
        self
    }

    /// Takes the last samples of an order for test, those before them for validation, the rest for training.
    pub(super) fn from_end(mut order: Vec<usize>, validation: f64, test: f64) -> Self {
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

/// `floor(share * len)`. A share is the f64 nearest to the written value, and the product is rounded again,
/// so it may lie slightly below the intended whole number: 0.29 of 100 is 28.999999999999996.
pub(super) fn portion(share: f64, len: usize) -> usize {
    (share * len as f64 * (1.0 + 4.0 * f64::EPSILON)).floor() as usize
}
