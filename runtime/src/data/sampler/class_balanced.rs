//! Each class equally often.

use serde::{Deserialize, Serialize};

use super::{DataPass, Sampler, TrainingSamples};
use crate::config::Config;
use crate::shape::{CheckError, CheckResult};

/// Draws each class equally often: of `n` training samples and `k` classes, each class `n / k` times in a pass, rounded down or up, and exactly
/// `n` times in `k` passes.
///
/// Samples of a small class are drawn several times, those of a large one not in every pass; within a class their numbers differ by at most 1.
/// Samples whose label is not a class, because the loss ignores it, are not drawn.
///
/// The model then learns as if all classes were equally common: its probabilities are too large for rare classes. `weights` of the loss has the
/// same effect on the mean gradient.
///
/// # Errors
/// If the target is not one class, or if a class has no training sample.
///
/// # Source
/// Buda et al. 2018, "A systematic study of the class imbalance problem in convolutional neural networks".
///
/// # Example
/// ```
/// use trainspec::data::sampler::ClassBalanced;
/// use trainspec::data::{PreparedDataset, Split};
/// use trainspec::prelude::*;
///
/// // Nine samples of class 0, one of class 1.
/// let classes = vec![0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
/// let data = InMemory::<Features<1>, Class<2>>::new(vec![0.0; 10], classes)?
///     .with_split(Split::Fixed { train: 0..10, validation: 0..0, test: 0..0 });
/// let data = PreparedDataset::new(Box::new(data), 42)?;
/// let drawn = data.drawn(&ClassBalanced, 42, 1)?;
/// assert_eq!(drawn.iter().filter(|index| **index == 9).count(), 5);
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassBalanced {
    /// The target whose classes are balanced, from 0, for data with several; 0 by default.
    pub target: usize,
}

/// [`ClassBalanced`](struct@ClassBalanced) with all defaults.
#[allow(non_upper_case_globals)]
pub const ClassBalanced: ClassBalanced = ClassBalanced::DEFAULT;

impl ClassBalanced {
    /// There is nothing to check without data.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }
}

impl Config for ClassBalanced {
    const NAME: &'static str = "ClassBalanced";
    const DEFAULT: Self = Self { target: 0 };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Sampler for ClassBalanced {
    fn order(&self, pass: &DataPass<'_>) -> Vec<usize> {
        let count = pass.samples.class_counts(self.target).unwrap_or_default().len();
        let mut members = vec![Vec::new(); count];
        for (place, &class) in pass.samples.classes(self.target).unwrap_or_default().iter().enumerate() {
            if let Some(members) = members.get_mut(class as usize) {
                members.push(place);
            }
        }
        let (each, more) = (pass.samples.len() / count.max(1), pass.samples.len() % count.max(1));
        // The classes that are drawn once more are the next ones in each pass.
        let first =
            (u128::from(pass.number.saturating_sub(1)) * more as u128 % count.max(1) as u128) as usize;
        let mut rng = pass.rng();
        let mut order = Vec::with_capacity(pass.samples.len());
        for (class, mut members) in members.into_iter().enumerate() {
            let is_next = (class + count - first) % count < more;
            rng.shuffle(&mut members);
            order.extend(members.iter().cycle().take(each + usize::from(is_next)));
        }
        rng.shuffle(&mut order);
        order
    }

    fn fits(&self, samples: &TrainingSamples<'_>) -> CheckResult {
        if self.target >= samples.targets() {
            return Err(CheckError::new("target is ")
                .number(self.target)
                .text("; expected a number below ")
                .number(samples.targets())
                .text(", the number of targets"));
        }
        let Some(counts) = samples.class_counts(self.target) else {
            return Err(CheckError::new("target ").number(self.target).text(
                " is not one class of each sample; expected data with a target `Class`, or `Weighted` with weights of the samples",
            ));
        };
        match counts.iter().position(|count| *count == 0) {
            None => Ok(()),
            Some(class) => Err(CheckError::new("class ").number(class).text(
                " has no training sample, so it cannot be drawn; expected samples of each class, or another split",
            )),
        }
    }
}
