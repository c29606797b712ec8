//! Advice on the output of a model before its first step.

use super::Facts;
use super::data::unscaled_inputs;
use crate::format::measure;

/// A first loss above this many times the loss of uninformative outputs, plus one, is not caused by random
/// initialization alone: with logits of standard deviation `s`, cross-entropy starts about `s^2 / 2` above it.
const OF_CLASSES: f64 = 2.0;

/// The same factor for the loss of the targets' mean: for squared errors, a mean three deviations away from 0.
const OF_VALUES: f64 = 10.0;

pub(super) fn high_first_loss(facts: &Facts<'_>) -> Option<String> {
    let first = facts.first?.loss?;
    // Unscaled inputs make the first loss high too.
    if unscaled_inputs(facts).is_some() {
        return None;
    }
    let bound = if first.of_classes { OF_CLASSES * first.baseline + 1.0 } else { OF_VALUES * first.baseline };
    let is_high = first.loss.is_nan() || first.loss > bound;
    (first.baseline > 0.0 && is_high).then(|| {
        let (what, loss, baseline) = (
            if first.of_classes { "equal outputs" } else { "the mean of the targets" },
            measure(first.loss),
            measure(first.baseline),
        );
        format!("the loss before the first step is {loss}; {what} would have {baseline}")
    })
}

pub(super) fn samples_mix(facts: &Facts<'_>) -> Option<String> {
    facts.first?.mixes.then(|| {
        "in evaluation, the output for one sample changes with another sample of the batch".to_owned()
    })
}
