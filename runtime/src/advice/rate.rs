//! Learning rates: how high, and how they begin.

use super::Facts;
use crate::human::rate;
use crate::schedule::Schedule;

/// The highest usual rate by optimizer. Those that are not here, a user's own and `Lars` among them, have none.
///
/// SGD: Goyal et al. 2017 use 0.1 for 256 samples. Adam and its relatives: Kingma & Ba 2015 search up to 1e-2 and suggest
/// 1e-3. `RmsProp`: Tieleman & Hinton 2012, 1e-3, PyTorch 1e-2. `AdaGrad`: Duchi et al. 2011; PyTorch 1e-2. `AdaDelta`:
/// Zeiler 2012 has no rate, which is 1. Lion: Chen et al. 2023, a third to a tenth of `AdamW`'s. Signs: Bernstein et al. 2018,
/// 1e-4. Lamb: You et al. 2020, up to 1e-2.
const HIGHEST: &[(&str, f64)] = &[
    ("Sgd", 1.0),
    ("Adam", 1e-2),
    ("AdamW", 1e-2),
    ("NAdam", 1e-2),
    ("RAdam", 1e-2),
    ("Adamax", 1e-2),
    ("SparseAdam", 1e-2),
    ("RmsProp", 1e-2),
    ("AdaGrad", 1e-1),
    ("AdaDelta", 1.0),
    ("Lion", 1e-3),
    ("SignSgd", 1e-3),
    ("Lamb", 2e-2),
];

/// The sources of [`HIGHEST`] in short.
pub(super) const SOURCES: &str = "the optimizers' papers; Goyal et al. 2017 for SGD";

/// A rate that begins at no more than this share of its largest is warmed up.
const WARMED_UP: f64 = 0.5;

/// Whether an optimizer divides by the root of a second moment, or by its like.
pub(super) fn is_adaptive(optimizer: &str) -> bool {
    matches!(optimizer, "Adam" | "AdamW" | "NAdam" | "RAdam" | "Adamax" | "SparseAdam" | "Lamb" | "RmsProp")
}

pub(super) fn high_rate(facts: &Facts<'_>) -> Option<String> {
    let settings = facts.settings;
    let name = settings.optimizer.name();
    let &(_, highest) = HIGHEST.iter().find(|(optimizer, _)| *optimizer == name)?;
    // What `scale_lr` makes of it is another advice.
    let largest = schedule(facts)?.largest_rate() * settings.optimizer.lr() / settings.base_rate();
    // A scaled rate is divided by what it was multiplied with, which rounds.
    (largest > highest * (1.0 + 1e-9)).then(|| {
        format!("`{name}` reaches the rate {}; {} is the highest that is usual", rate(largest), rate(highest))
    })
}

pub(super) fn attention_without_warmup(facts: &Facts<'_>) -> Option<String> {
    let node = facts.graph.nodes.iter().find(|node| node.layer.name() == "self_attention")?;
    let name = facts.settings.optimizer.name();
    // RAdam is a warm-up.
    (is_adaptive(name) && name != "RAdam" && !is_warmed_up(facts))
        .then(|| format!("`{}` under `{name}`, whose rate begins at its full height", node.path))
}

/// Whether the rate begins low, by whatever phase.
pub(super) fn is_warmed_up(facts: &Facts<'_>) -> bool {
    schedule(facts).is_none_or(|schedule| schedule.rate(0) <= WARMED_UP * schedule.largest_rate())
}

/// The schedule; none if it does not fit the run, which is told elsewhere.
fn schedule(facts: &Facts<'_>) -> Option<Schedule> {
    Schedule::of(facts.settings, facts.plan.steps, facts.plan.steps_per_epoch).ok()
}
