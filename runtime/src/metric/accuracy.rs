//! Accuracy.

use serde::{Deserialize, Serialize};

use super::{Direction, Metric, Outcomes, Share, keyless, of_classes};
use crate::config::Config;
use crate::shape::{Class, Labels, Logits, TokenLogits, Tokens};

/// Computes the share of correct predictions: of samples, of positions for tokens, or of labels for `Labels<N>`.
///
/// The predicted class is the one with the largest logit, the first of equal logits. With one logit, class 1 or the label is
/// predicted if the logit is above 0. For `Labels<N>`, each label of each sample counts the same, and a target above 0.5 counts
/// as the label. This differs from scikit-learn's `accuracy_score`, which counts a sample only if all its labels are correct.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {}

keyless!(Accuracy);

/// Returns the class with the largest logit, the first of equal logits; with one logit, class 1 if it is above 0. Returns `None`
/// if there are no logits or one is NaN.
pub(super) fn predicted_class(logits: &[f32]) -> Option<u32> {
    if logits.iter().any(|logit| logit.is_nan()) {
        return None;
    }
    if let [logit] = logits {
        return Some(predicted_label(*logit)?.into());
    }
    let largest = (0_u32..).zip(logits).reduce(|best, next| if next.1 > best.1 { next } else { best });
    largest.map(|(class, _)| class)
}

/// Returns whether a label is predicted; `None` if its logit is NaN.
pub(super) fn predicted_label(logit: f32) -> Option<bool> {
    (!logit.is_nan()).then_some(logit > 0.0)
}

/// Returns whether a target counts as the label.
pub(super) fn is_label(target: f32) -> bool {
    target > 0.5
}

of_classes! { Accuracy, Share, "accuracy", {
    fn update(&self, share: &mut Share, outcomes: &Outcomes<'_, u32>) {
        for (logits, target) in outcomes.rows() {
            share.add(predicted_class(logits) == Some(target));
        }
    }
} }

impl<const N: usize> Metric<Logits<N>, Labels<N>> for Accuracy {
    type State = Share;
    const LABEL: &'static str = "accuracy";
    const DIRECTION: Direction = Direction::Higher;
    const DEFINED_BY_TARGETS: bool = true;

    fn update(&self, share: &mut Share, outcomes: &Outcomes<'_, f32>) {
        for (&logit, &target) in outcomes.predictions.iter().zip(outcomes.targets) {
            share.add(predicted_label(logit) == Some(is_label(target)));
        }
    }
}
