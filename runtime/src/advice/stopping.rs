//! Advice on intervals and patience compared with the length of the run.

use super::Facts;
use crate::format::count;
use crate::optim::Average;

/// The largest share of the initial weights that may remain in the average at the end.
const LEFT: f64 = 0.1;

/// Returns the evaluations of the whole run: one after each epoch, the last of which may be short.
fn evaluations(facts: &Facts<'_>) -> u64 {
    facts.plan.steps.div_ceil(facts.plan.steps_per_epoch.max(1))
}

pub(super) fn long_patience(facts: &Facts<'_>) -> Option<String> {
    let patience = facts.settings.early_stop?.patience;
    let evaluations = evaluations(facts);
    // The first evaluation is always the best so far; the earliest stop follows that many later.
    (patience.saturating_add(1) >= evaluations).then(|| {
        let (patience, evaluations) = (count(patience), count(evaluations));
        format!("a patience of {patience} in a run of {evaluations} evaluations")
    })
}

pub(super) fn stop_before_plateau(facts: &Facts<'_>) -> Option<String> {
    let stop = facts.settings.early_stop?;
    facts.settings.schedule.iter().find_map(|phase| {
        if phase.name() != "ReduceOnPlateau" || phase.monitor() != Some(stop.monitor) {
            return None;
        }
        let plateau = phase.to_json().get("patience")?.as_u64()?;
        // The phase acts one evaluation after its patience.
        (stop.patience <= plateau.saturating_add(1)).then(|| {
            format!("`early_stop` has a patience of {}, `ReduceOnPlateau` one of {plateau}", stop.patience)
        })
    })
}

pub(super) fn long_average(facts: &Facts<'_>) -> Option<String> {
    let Some(Average::Ema(average)) = facts.settings.ema else { return None };
    if average.warmup {
        return None;
    }
    let steps = facts.plan.steps;
    // The share of the initial weights that remains after all steps.
    let left = (steps as f64 * average.decay_at(1).ln()).exp();
    (left > LEFT).then(|| {
        let share = (100.0 * left).round();
        format!("after the run's {} steps {share} % of the average are the initial weights", count(steps))
    })
}

pub(super) fn long_checkpoint_interval(facts: &Facts<'_>) -> Option<String> {
    let every = facts.settings.checkpoint?.every.in_steps(facts.plan.steps_per_epoch);
    let steps = facts.plan.steps;
    (every > steps).then(|| {
        format!("`checkpoint` is due every {} steps, but the run has {}", count(every), count(steps))
    })
}
