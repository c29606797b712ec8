//! Advice on very large batches.

use super::Facts;
use super::rate::is_warmed_up;
use crate::format::count;

/// Up to this size Goyal et al. 2017 found no loss of accuracy with a warmup; without one, accuracy was 1.2 points
/// lower at exactly this size.
const LARGE: u64 = 8192;

/// Returns the samples of a micro-batch, at most the size of the training part.
pub(super) fn micro_batch(facts: &Facts<'_>) -> usize {
    facts.settings.batch.min(facts.plan.training_samples)
}

/// Returns the samples of an optimizer step, at most the size of the training part.
fn samples(facts: &Facts<'_>) -> u64 {
    let declared = (facts.settings.batch as u64).saturating_mul(facts.settings.accumulate as u64);
    declared.min(facts.plan.training_samples as u64)
}

pub(super) fn without_warmup(facts: &Facts<'_>) -> Option<String> {
    let samples = samples(facts);
    (samples >= LARGE && !is_warmed_up(facts))
        .then(|| format!("steps of {} samples, and the learning rate starts at its maximum", count(samples)))
}

pub(super) fn scaled_rate(facts: &Facts<'_>) -> Option<String> {
    let (samples, settings) = (samples(facts), facts.settings);
    (samples > LARGE && settings.base_rate() > settings.optimizer.lr())
        .then(|| format!("`{}` for steps of {} samples", settings.scale_lr.name(), count(samples)))
}
