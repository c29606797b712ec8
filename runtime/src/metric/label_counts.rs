//! Precision, recall and F1 for several labels per sample.

use serde::{Deserialize, Serialize};

use super::accuracy::{is_label, predicted_label};
use super::class_counts::Class;
use super::{Average, Outcomes, State};

/// Counts how often each label occurred, was predicted, and was predicted correctly.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelCounts {
    samples: u64,
    /// The counts by label; empty before the first sample.
    labels: Vec<Class>,
}

impl LabelCounts {
    pub(super) fn update(&mut self, outcomes: &Outcomes<'_, f32>) {
        self.grow(outcomes.shape.elements());
        for (logits, targets) in outcomes.samples() {
            self.samples += 1;
            for (label, (&logit, &target)) in self.labels.iter_mut().zip(logits.iter().zip(targets)) {
                let (predicted, actual) = (predicted_label(logit) == Some(true), is_label(target));
                label.predicted += u64::from(predicted);
                label.actual += u64::from(actual);
                label.right += u64::from(predicted && actual);
            }
        }
    }

    /// Returns the number of samples.
    pub(super) fn samples(&self) -> u64 {
        self.samples
    }

    /// Returns the counts of each label.
    pub(super) fn labels(&self) -> &[Class] {
        &self.labels
    }

    fn grow(&mut self, labels: usize) {
        if self.labels.len() < labels {
            self.labels.resize(labels, Class::default());
        }
    }

    /// Returns the average of `value` over the labels; NaN without samples.
    pub(super) fn average(&self, average: Average, value: fn(Class) -> f64) -> f64 {
        if self.samples == 0 {
            return f64::NAN;
        }
        let mut total = Class::default();
        for label in &self.labels {
            total.right += label.right;
            total.predicted += label.predicted;
            total.actual += label.actual;
        }
        let weighted = |weight: fn(Class) -> f64| {
            let sum: f64 = self.labels.iter().map(|&label| weight(label) * value(label)).sum();
            let weights: f64 = self.labels.iter().map(|&label| weight(label)).sum();
            if weights == 0.0 { 0.0 } else { sum / weights }
        };
        match average {
            Average::Micro => value(total),
            Average::Binary => self.labels.first().map_or(0.0, |&label| value(label)),
            Average::Weighted => weighted(|label| label.actual as f64),
            Average::Macro => weighted(|_| 1.0),
        }
    }
}

impl State for LabelCounts {
    fn merge(&mut self, other: &Self) {
        self.samples += other.samples;
        self.grow(other.labels.len());
        for (label, other) in self.labels.iter_mut().zip(&other.labels) {
            label.right += other.right;
            label.predicted += other.predicted;
            label.actual += other.actual;
        }
    }

    /// Returns the share of all labels that were predicted.
    fn value(&self) -> f64 {
        self.average(Average::Micro, Class::recall)
    }

    fn clear(&mut self) {
        self.samples = 0;
        self.labels.fill(Class::default());
    }
}
