//! The area under the ROC curve, for several labels per sample.

use serde::{Deserialize, Serialize};

use super::accuracy::is_label;
use super::auroc::{OfScores, Score, area, mean_over};
use super::{Outcomes, State};

/// The logits and the labels of every sample.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelScores {
    /// The number of labels of a sample.
    labels: usize,
    /// The logits, sample by sample.
    scores: Vec<Score>,
    has_label: Vec<bool>,
}

impl LabelScores {
    pub(super) fn update(&mut self, outcomes: &Outcomes<'_, f32>) {
        self.labels = outcomes.shape.elements();
        self.scores.extend(outcomes.predictions.iter().map(|&logit| Score(f64::from(logit))));
        self.has_label.extend(outcomes.targets.iter().map(|&target| is_label(target)));
    }

    /// Returns the mean of `value` over the labels.
    pub(super) fn mean(&self, value: OfScores) -> f64 {
        let each = (0..self.labels).map(|label| {
            let samples = self.scores.iter().zip(&self.has_label).skip(label).step_by(self.labels);
            samples.map(|(score, &has_label)| (score.0, has_label))
        });
        mean_over(each, value)
    }
}

impl State for LabelScores {
    fn merge(&mut self, other: &Self) {
        if !other.scores.is_empty() {
            self.labels = other.labels;
            self.scores.extend_from_slice(&other.scores);
            self.has_label.extend_from_slice(&other.has_label);
        }
    }

    fn value(&self) -> f64 {
        self.mean(area)
    }

    fn clear(&mut self) {
        self.scores.clear();
        self.has_label.clear();
    }
}
