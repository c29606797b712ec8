//! What a model gives before its first step.

use super::Facts;
use super::data::unscaled_inputs;
use crate::format::measure;

/// A first loss of more than so many times that of outputs which say nothing, and one more, is no accident of the initial
/// weights: with logits of deviation `s` cross-entropy begins about `s^2 / 2` above it.
const OF_CLASSES: f64 = 2.0;

/// So many times the loss of the targets' own mean: of squares, where that mean is three deviations away from 0.
const OF_VALUES: f64 = 10.0;

pub(super) fn high_first_loss(facts: &Facts<'_>) -> Option<String> {
    let first = facts.first?.loss?;
    // Which makes the first loss high too.
    if unscaled_inputs(facts).is_some() {
        return None;
    }
    let bound = if first.of_classes { OF_CLASSES * first.baseline + 1.0 } else { OF_VALUES * first.baseline };
    let is_high = first.loss.is_nan() || first.loss > bound;
    (first.baseline > 0.0 && is_high).then(|| {
        let (what, loss, baseline) = (
            if first.of_classes { "outputs that are all alike" } else { "the mean of the targets" },
            measure(first.loss),
            measure(first.baseline),
        );
        format!("a loss of {loss} before the first step, where {what} would have {baseline}")
    })
}

pub(super) fn samples_mix(facts: &Facts<'_>) -> Option<String> {
    facts.first?.mixes.then(|| {
        "in evaluation, what the model gives for one sample changes with another sample of the batch"
            .to_owned()
    })
}
