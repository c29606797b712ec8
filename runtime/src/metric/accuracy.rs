//! Accuracy.

use serde::{Deserialize, Serialize};

use super::{Outcomes, Share, keyless, of_logits};
use crate::config::Config;
use crate::shape::{Class, Logits, TokenLogits, Tokens};

/// The share of samples (of places, for tokens) whose largest logit is that of the right class.
///
/// Of equal logits the first counts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {}

keyless!(Accuracy);

/// The class with the largest logit; of equal logits the first. `None` if there are no logits.
pub(super) fn predicted_class(logits: &[f32]) -> Option<u32> {
    let largest = (0_u32..).zip(logits).reduce(|best, next| if next.1 > best.1 { next } else { best });
    largest.map(|(class, _)| class)
}

of_logits! { Accuracy, Share, "accuracy", {
    fn update(&self, share: &mut Share, outcomes: &Outcomes<'_, u32>) {
        for (logits, target) in outcomes.rows() {
            share.add(predicted_class(logits) == Some(target));
        }
    }
} }
