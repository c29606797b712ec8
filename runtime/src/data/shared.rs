//! Samples with equal inputs in two parts of a split.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::parts::Parts;

/// A hash of each sample's input, in the order of the data.
///
/// Among ten million samples, two different ones have the same hash in three of a million runs.
#[derive(Default)]
pub(super) struct Inputs {
    hashes: Vec<u64>,
}

impl Inputs {
    /// Adds the inputs of `samples` consecutive samples: the bytes of each input.
    pub(super) fn add(&mut self, inputs: &[Vec<u8>], samples: usize) {
        self.hashes.extend((0..samples).map(|sample| {
            let mut hasher = DefaultHasher::new();
            for bytes in inputs {
                let size = bytes.len() / samples;
                bytes.get(sample * size..(sample + 1) * size).hash(&mut hasher);
            }
            hasher.finish()
        }));
    }

    /// How many validation and test samples have the input of a training sample.
    pub(super) fn shared(&self, parts: &Parts) -> usize {
        let hash = |index: &usize| self.hashes.get(*index);
        let learned: HashSet<&u64> = parts.train.iter().filter_map(hash).collect();
        let others = parts.validation.iter().chain(&parts.test);
        others.filter_map(hash).filter(|hash| learned.contains(hash)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_inputs_in_other_splits_are_counted() {
        let mut inputs = Inputs::default();
        inputs.add(&[vec![1, 2, 3, 4, 1, 2]], 3);
        inputs.add(&[vec![3, 4, 1, 9]], 2);
        let parts = |train: &[usize], validation: &[usize], test: &[usize]| Parts {
            train: train.to_vec(),
            validation: validation.to_vec(),
            test: test.to_vec(),
        };
        assert_eq!(inputs.shared(&parts(&[0, 1], &[2, 4], &[3])), 2);
        // A duplicate within a part does not count.
        assert_eq!(inputs.shared(&parts(&[0, 2], &[1, 3], &[4])), 0);
    }
}
