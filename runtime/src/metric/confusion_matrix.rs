//! The confusion matrix.

use serde::{Deserialize, Deserializer, Serialize};

use super::accuracy::predicted_class;
use super::{Direction, Metric, Outcomes, State};
use crate::config::Config;
use crate::keys::Facts;
use crate::shape::{CheckError, CheckResult, Class, Logits};

/// Counts for each pair of classes the samples of the first that are predicted as the second.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Confusion {
    /// The counts by target class, then by predicted class, the one with the largest logit (the first of equal logits). With one
    /// logit, class 1 is predicted if it is above 0. A sample with a NaN logit is not in the table. Empty before the first
    /// sample.
    pub counts: Vec<Vec<u64>>,
    /// The names of the classes: [`ConfusionMatrix::names`], or those of the data set. Empty if they have none.
    #[serde(skip)]
    pub names: Vec<String>,
}

impl Confusion {
    /// The largest number of classes for which the table is printed by default; a larger table is not readable.
    pub const MAX_CLASSES: usize = 20;

    /// Counts samples, with as many classes as a prediction has elements.
    pub(crate) fn update(&mut self, outcomes: &Outcomes<'_, u32>) {
        self.grow(outcomes.classes());
        for (logits, target) in outcomes.rows() {
            let row = self.counts.get_mut(target as usize);
            let count = predicted_class(logits).zip(row).and_then(|(class, row)| row.get_mut(class as usize));
            if let Some(count) = count {
                *count += 1;
            }
        }
    }

    fn grow(&mut self, classes: usize) {
        if self.counts.len() < classes {
            self.counts.resize_with(classes, Vec::new);
            self.counts.iter_mut().for_each(|row| row.resize(classes, 0));
        }
    }
}

impl State for Confusion {
    fn merge(&mut self, other: &Self) {
        if self.names.is_empty() {
            self.names.clone_from(&other.names);
        }
        self.grow(other.counts.len());
        for (row, other) in self.counts.iter_mut().zip(&other.counts) {
            row.iter_mut().zip(other).for_each(|(count, other)| *count += other);
        }
    }

    /// Returns the share on the diagonal, which is the accuracy.
    fn value(&self) -> f64 {
        let right: u64 = self.counts.iter().enumerate().filter_map(|(class, row)| row.get(class)).sum();
        right as f64 / self.counts.iter().flatten().sum::<u64>() as f64
    }

    fn clear(&mut self) {
        self.counts.iter_mut().for_each(|row| row.fill(0));
    }
}

/// Counts samples, or the pixels of maps, by target class and predicted class.
///
/// The table is written as `confusion_matrix` to `metrics.jsonl` and cannot be monitored. A run with up to
/// [`Confusion::MAX_CLASSES`] classes prints the table of the test samples at its end even if the metric is not declared; the table of
/// pixels is only written.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfusionMatrix {
    /// The names of the classes in the printed table, one for each class from 0: `&["cat", "dog"]`. Empty, the default, prints
    /// the [names of the data set](crate::data::Dataset::class_names), or the numbers.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty", deserialize_with = "leaked")]
    pub names: &'static [&'static str],
}

/// [`ConfusionMatrix`](struct@ConfusionMatrix) with every key at its default.
#[allow(non_upper_case_globals)]
pub const ConfusionMatrix: ConfusionMatrix = ConfusionMatrix::DEFAULT;

impl ConfusionMatrix {
    /// Checks that no name is empty. The result requires one name for each class.
    pub const fn check(&self) -> CheckResult<Facts> {
        let mut i = 0;
        while i < self.names.len() {
            if self.names[i].is_empty() {
                return Err(CheckError::new("names has an empty text as element ")
                    .number(i)
                    .text(" (from 0); expected the name of a class"));
            }
            i += 1;
        }
        Ok(Facts::NOTHING.one_for_each_class("names", self.names.len()))
    }

    fn name(&self, confusion: &mut Confusion) {
        if confusion.names.len() != self.names.len() {
            confusion.names = self.names.iter().map(|&name| name.to_owned()).collect();
        }
    }
}

impl Config for ConfusionMatrix {
    const NAME: &'static str = "ConfusionMatrix";
    const DEFAULT: Self = Self { names: &[] };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

/// Reads the names and leaks them. A program reads its spec once, so this costs a few bytes.
fn leaked<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static [&'static str], D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    Ok(Vec::leak(names.into_iter().map(|name| -> &str { String::leak(name) }).collect()))
}

impl<const C: usize> Metric<Logits<C>, Class<C>> for ConfusionMatrix {
    type State = Confusion;
    const LABEL: &'static str = "confusion_matrix";
    const DIRECTION: Direction = Direction::Higher;
    const IS_TABLE: bool = true;
    const DEFINED_BY_TARGETS: bool = true;

    fn fits(&self) -> CheckResult {
        const MOST: usize = 1000;
        if C <= MOST {
            return self.check()?.fits(C, "classes");
        }
        Err(CheckError::new("the model has ")
            .number(C)
            .text(" classes; expected at most ")
            .number(MOST)
            .text(" for a confusion matrix; use `F1` or `TopK`"))
    }

    fn update(&self, confusion: &mut Confusion, outcomes: &Outcomes<'_, u32>) {
        self.name(confusion);
        confusion.update(outcomes);
    }

    fn table<'a>(&self, confusion: &'a Confusion) -> Option<&'a Confusion> {
        Some(confusion)
    }
}

impl Metric<Logits<1>, Class<2>> for ConfusionMatrix {
    type State = Confusion;
    const LABEL: &'static str = "confusion_matrix";
    const DIRECTION: Direction = Direction::Higher;
    const IS_TABLE: bool = true;
    const DEFINED_BY_TARGETS: bool = true;

    fn fits(&self) -> CheckResult {
        self.check()?.fits(2, "classes")
    }

    fn update(&self, confusion: &mut Confusion, outcomes: &Outcomes<'_, u32>) {
        self.name(confusion);
        confusion.update(outcomes);
    }

    fn table<'a>(&self, confusion: &'a Confusion) -> Option<&'a Confusion> {
        Some(confusion)
    }
}
