//! The Matthews correlation coefficient.

use serde::{Deserialize, Serialize};

use super::{ClassCounts, Direction, LabelCounts, Metric, Outcomes, keyless, of_classes};
use crate::config::Config;
use crate::shape::{Class, Labels, Logits, TokenLogits, Tokens};

/// Computes the Matthews correlation coefficient: the correlation of predicted and true classes, 1 if all are correct, 0 for a guess that
/// ignores the input, also if one class is rare.
///
/// With `s` samples, `c` of them correct, and for each class `k` the number of times it occurs, `t_k`, and is predicted, `p_k`, it is
/// `(c s - sum t_k p_k) / sqrt((s^2 - sum p_k^2) (s^2 - sum t_k^2))`, and 0 where a factor of the denominator is 0, as in
/// scikit-learn's `matthews_corrcoef`. The predicted class is the one with the largest logit; with one logit, class 1 or the label is
/// predicted if the logit is above 0. For `Labels<N>`, every label of every sample is one of `s` decisions between two classes, as in
/// torchmetrics.
///
/// # Source
/// Matthews 1975; Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient", 2004.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mcc {}

keyless!(Mcc);

/// Computes the coefficient from the number of samples, of correct ones, and for each class how often it occurs and is predicted. The
/// integers are exact.
fn coefficient(samples: u64, right: u64, classes: impl Iterator<Item = (u64, u64)>) -> f64 {
    let (mut both, mut actual, mut predicted) = (0_i128, 0_i128, 0_i128);
    for (occurs, guessed) in classes {
        let (occurs, guessed) = (i128::from(occurs), i128::from(guessed));
        both += occurs * guessed;
        actual += occurs * occurs;
        predicted += guessed * guessed;
    }
    if samples == 0 {
        return f64::NAN;
    }
    let (samples, right) = (i128::from(samples), i128::from(right));
    let square = samples * samples;
    let covariance = (right * samples - both) as f64;
    let spread = (square - predicted) as f64 * (square - actual) as f64;
    if spread == 0.0 { 0.0 } else { covariance / spread.sqrt() }
}

of_classes! { Mcc, ClassCounts, "mcc", {
    fn update(&self, counts: &mut ClassCounts, outcomes: &Outcomes<'_, u32>) {
        counts.update(outcomes);
    }

    fn value(&self, counts: &ClassCounts) -> f64 {
        let (mut samples, mut right) = (0, 0);
        for class in counts.classes() {
            samples += class.actual;
            right += class.right;
        }
        coefficient(samples, right, counts.classes().iter().map(|class| (class.actual, class.predicted)))
    }
} }

impl<const N: usize> Metric<Logits<N>, Labels<N>> for Mcc {
    type State = LabelCounts;
    const LABEL: &'static str = "mcc";
    const DIRECTION: Direction = Direction::Higher;
    const DEFINED_BY_TARGETS: bool = true;

    fn update(&self, counts: &mut LabelCounts, outcomes: &Outcomes<'_, f32>) {
        counts.update(outcomes);
    }

    fn value(&self, counts: &LabelCounts) -> f64 {
        let (mut actual, mut predicted, mut both) = (0, 0, 0);
        for label in counts.labels() {
            actual += label.actual;
            predicted += label.predicted;
            both += label.right;
        }
        let decisions = counts.samples() * counts.labels().len() as u64;
        let right = (decisions + 2 * both) - (actual + predicted);
        let classes = [(actual, predicted), (decisions - actual, decisions - predicted)];
        coefficient(decisions, right, classes.into_iter())
    }
}
