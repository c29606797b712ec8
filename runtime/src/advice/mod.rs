//! Advice: warnings about choices that are allowed but doubtful.
//!
//! A mistake is an error. Advice covers what is often, but not always, a mistake: the program reports what it found, why
//! it matters, and what to write instead, and continues. The command `check` prints advice, and so does a run when it
//! starts. The key `allow` of [`train!`](crate::train!) silences it by name: `allow: [Advice::SmallBatchNorm]`.
//!
//! The table `RULES` in `table.rs` lists every rule with its texts; the other files contain the conditions. Conditions
//! check the kind of a layer or an optimizer ([`LayerKind`](crate::layer::LayerKind), [`StepSize`](crate::optim::StepSize)), not
//! its name, so they also apply to user-defined ones.

mod batch;
mod chain;
mod data;
mod depth;
mod first;
mod model;
mod optimizer;
mod profile;
mod rate;
mod regularization;
mod stopping;
mod table;

use self::table::RULES;
pub use crate::keys::{Advice, Finding};

use crate::data::PreparedDataset;
use crate::graph::Graph;
use crate::spec::TrainConfig;
use crate::trainer::RunPlan;

/// The facts about a run that are available before its first step.
pub(crate) struct Facts<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) settings: &'a TrainConfig,
    pub(crate) data: &'a PreparedDataset,
    pub(crate) plan: &'a RunPlan,
    /// The output of the untrained model, if it was evaluated.
    pub(crate) first: Option<&'a FirstLook>,
}

/// The output of a model before its first step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstLook {
    /// Its loss and a baseline; `None` if there is no baseline to compare with.
    pub(crate) loss: Option<FirstLoss>,
    /// Whether the evaluation output for one sample depends on another sample of the batch.
    pub(crate) mixes: bool,
}

/// A loss before the first step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstLoss {
    pub(crate) loss: f64,
    /// The loss of uninformative outputs.
    pub(crate) baseline: f64,
    /// Whether the targets are classes or tokens, for which the baseline outputs are all equal; otherwise they are the
    /// mean of the targets.
    pub(crate) of_classes: bool,
}

/// A rule: its condition and its texts.
struct Rule {
    advice: Advice,
    find: fn(&Facts<'_>) -> Option<String>,
    why: &'static str,
    instead: &'static str,
    reference: &'static str,
}

/// Returns all advice for a run except what its key `allow` silences.
pub(crate) fn advice(facts: &Facts<'_>) -> Vec<Finding> {
    let allowed = &facts.settings.allow;
    let rules = RULES.iter().filter(|rule| !allowed.contains(&rule.advice));
    let finding = |rule: &Rule| {
        let &Rule { advice, why, instead, reference, .. } = rule;
        (rule.find)(facts).map(|found| Finding { advice, found, why, instead, reference })
    };
    rules.filter_map(finding).collect()
}
