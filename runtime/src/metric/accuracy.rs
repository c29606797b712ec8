//! Accuracy.

use serde::{Deserialize, Serialize};

use super::{Direction, Metric, Outcomes, Share, keyless, of_classes};
use crate::config::Config;
use crate::shape::{Class, Labels, Logits, TokenLogits, Tokens};

/// The share of samples (of places, for tokens; of labels, for several labels of a sample) that are predicted right.
///
/// The prediction is the class with the largest logit; of equal logits the first. With one logit it is class 1, or the label,
/// where the logit is above 0. For `Labels<N>` each label of each sample counts the same, and a target above 0.5 is the label;
/// scikit-learn's `accuracy_score`, which counts whole samples, is another number.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {}

keyless!(Accuracy);

/// The class with the largest logit, of equal logits the first; with one logit, class 1 where it is above 0. `None` if there are no
/// logits, or if one is NaN: that is no answer.
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

/// Whether a label is predicted; `None` if its logit is NaN.
pub(super) fn predicted_label(logit: f32) -> Option<bool> {
    (!logit.is_nan()).then_some(logit > 0.0)
}

/// Whether a target is the label.
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
