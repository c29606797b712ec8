//! Learning rates: how high, how low, and how they begin.

use super::Facts;
use crate::format::rate;
use crate::layer::LayerKind;
use crate::optim::StepSize;
use crate::schedule::Schedule;

/// A rate that begins at no more than this share of its largest is warmed up.
const WARMED_UP: f64 = 0.5;

/// The sources of [`usual_rates`](crate::optim::Optimizer::usual_rates), each of which is told with what was found.
pub(super) const SOURCES: &str = "the optimizers' papers and PyTorch's defaults";

pub(super) fn high_rate(facts: &Facts<'_>) -> Option<String> {
    let (name, largest) = (facts.settings.optimizer.name(), largest(facts)?);
    let usual = facts.settings.optimizer.usual_rates()?;
    // A scaled rate is divided by what it was multiplied with, which rounds.
    (largest > usual.highest * (1.0 + 1e-9)).then(|| {
        let (largest, highest) = (rate(largest), rate(usual.highest));
        format!(
            "`{name}` reaches the rate {largest}; rates above {highest} are beyond what is known to work ({})",
            usual.source
        )
    })
}

pub(super) fn low_rate(facts: &Facts<'_>) -> Option<String> {
    let (name, largest) = (facts.settings.optimizer.name(), largest(facts)?);
    let usual = facts.settings.optimizer.usual_rates()?;
    (largest < usual.lowest * (1.0 - 1e-9)).then(|| {
        let (largest, lowest) = (rate(largest), rate(usual.lowest));
        format!(
            "the rate of `{name}` is {largest} at most; rates below {lowest} are below what is known to work ({})",
            usual.source
        )
    })
}

/// The largest rate of the run, but for what `scale_lr` makes of it, which is another advice.
fn largest(facts: &Facts<'_>) -> Option<f64> {
    let settings = facts.settings;
    Some(schedule(facts)?.largest_rate() * settings.optimizer.lr() / settings.base_rate())
}

pub(super) fn attention_without_warmup(facts: &Facts<'_>) -> Option<String> {
    let attends = |node: &&crate::graph::Node| matches!(node.layer.nature(), LayerKind::Attention { .. });
    let node = facts.graph.nodes.iter().find(attends)?;
    let optimizer = &facts.settings.optimizer;
    // To be rectified is a warm-up.
    let is_cold = optimizer.step_size() == StepSize::SecondMoment { rectified: false };
    (is_cold && !is_warmed_up(facts)).then(|| {
        format!("`{}` under `{}`, whose rate begins at its full height", node.path, optimizer.name())
    })
}

/// Whether the rate begins low, by whatever phase.
pub(super) fn is_warmed_up(facts: &Facts<'_>) -> bool {
    schedule(facts).is_none_or(|schedule| schedule.rate(0) <= WARMED_UP * schedule.largest_rate())
}

/// The schedule; none if it does not fit the run, which is told elsewhere.
fn schedule(facts: &Facts<'_>) -> Option<Schedule> {
    Schedule::of(facts.settings, facts.plan.steps, facts.plan.steps_per_epoch).ok()
}
