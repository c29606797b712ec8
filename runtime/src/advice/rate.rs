//! Advice on learning rates: how high, how low, and how they start.

use super::Facts;
use crate::format::rate;
use crate::layer::LayerKind;
use crate::optim::StepSize;
use crate::schedule::Schedule;

/// A learning rate that starts at no more than this share of its maximum counts as warmed up.
const WARMED_UP: f64 = 0.5;

/// The sources of [`usual_rates`](crate::optim::Optimizer::usual_rates), each of which is reported
/// with the finding.
pub(super) const SOURCES: &str = "the optimizers' papers and PyTorch's defaults";

pub(super) fn high_rate(facts: &Facts<'_>) -> Option<String> {
    let (name, largest) = (facts.settings.optimizer.name(), largest(facts)?);
    let usual = facts.settings.optimizer.usual_rates()?;
    // A scaled learning rate is divided by its factor again, which rounds.
    (largest > usual.highest * (1.0 + 1e-9)).then(|| {
        let (largest, highest) = (rate(largest), rate(usual.highest));
        format!(
            "`{name}` reaches a learning rate of {largest}; values above {highest} are not known to work ({})",
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
            "the learning rate of `{name}` is at most {largest}; values below {lowest} are not known to work ({})",
            usual.source
        )
    })
}

/// Returns the largest learning rate of the run before `scale_lr`, which has its own advice.
fn largest(facts: &Facts<'_>) -> Option<f64> {
    let settings = facts.settings;
    Some(schedule(facts)?.largest_rate() * settings.optimizer.lr() / settings.base_rate())
}

pub(super) fn attention_without_warmup(facts: &Facts<'_>) -> Option<String> {
    let attends = |node: &&crate::graph::Node| matches!(node.layer.kind(), LayerKind::Attention { .. });
    let node = facts.graph.nodes.iter().find(attends)?;
    let optimizer = &facts.settings.optimizer;
    // Rectification acts as a warmup.
    let is_cold = optimizer.step_size() == StepSize::SecondMoment { rectified: false };
    (is_cold && !is_warmed_up(facts)).then(|| {
        format!("`{}` with `{}`, and the learning rate starts at its maximum", node.path, optimizer.name())
    })
}

/// Returns whether the learning rate starts low, in any kind of phase.
pub(super) fn is_warmed_up(facts: &Facts<'_>) -> bool {
    schedule(facts).is_none_or(|schedule| schedule.rate(0) <= WARMED_UP * schedule.largest_rate())
}

/// Returns the schedule; `None` if it does not fit the run, which is reported elsewhere.
fn schedule(facts: &Facts<'_>) -> Option<Schedule> {
    Schedule::of(facts.settings, facts.plan.steps, facts.plan.steps_per_epoch).ok()
}
