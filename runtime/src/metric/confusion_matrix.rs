//! Which classes a model takes for which.

use serde::{Deserialize, Serialize};

use super::accuracy::predicted_class;
use super::{Direction, Metric, Outcomes, State};
use crate::config::Config;
use crate::shape::{CheckError, CheckResult, Class, Logits};

/// How many samples of each class a model takes for each class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Confusion {
    /// By the right class, then by the class with the largest logit; of equal logits the first. With one logit, class 1 is
    /// predicted where it is above 0. A sample with NaN among its logits is of no class and is not in the table. Empty before
    /// the first sample.
    pub counts: Vec<Vec<u64>>,
}

impl Confusion {
    /// The most classes that are told apart unasked; a table of more is no help to anybody.
    pub const MAX_CLASSES: usize = 20;

    /// Counts samples of as many classes as a prediction has numbers.
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
        self.grow(other.counts.len());
        for (row, other) in self.counts.iter_mut().zip(&other.counts) {
            row.iter_mut().zip(other).for_each(|(count, other)| *count += other);
        }
    }

    /// The share on the diagonal: the accuracy.
    fn value(&self) -> f64 {
        let right: u64 = self.counts.iter().enumerate().filter_map(|(class, row)| row.get(class)).sum();
        right as f64 / self.counts.iter().flatten().sum::<u64>() as f64
    }

    fn clear(&mut self) {
        self.counts.iter_mut().for_each(|row| row.fill(0));
    }
}

/// How many samples of each class the model takes for each class: a table, by the right class, then by the predicted
/// one.
///
/// It stands as `confusion_matrix` in `metrics.jsonl`, and cannot be monitored. That of the test samples is shown at
/// the end of a run of up to [`Confusion::MAX_CLASSES`] classes whether the metric is declared or not.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfusionMatrix {}

super::keyless!(ConfusionMatrix);

impl<const C: usize> Metric<Logits<C>, Class<C>> for ConfusionMatrix {
    type State = Confusion;
    const LABEL: &'static str = "confusion_matrix";
    const DIRECTION: Direction = Direction::Higher;
    const IS_TABLE: bool = true;
    const DEFINED_BY_TARGETS: bool = true;

    fn fits(&self) -> CheckResult {
        const MOST: usize = 1000;
        if C <= MOST {
            return Ok(());
        }
        Err(CheckError::new("the model has ")
            .number(C)
            .text(" classes; expected at most ")
            .number(MOST)
            .text(" for a table of them; use `F1` or `TopK`"))
    }

    fn update(&self, confusion: &mut Confusion, outcomes: &Outcomes<'_, u32>) {
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

    fn update(&self, confusion: &mut Confusion, outcomes: &Outcomes<'_, u32>) {
        confusion.update(outcomes);
    }

    fn table<'a>(&self, confusion: &'a Confusion) -> Option<&'a Confusion> {
        Some(confusion)
    }
}
