//! Advice: choices that are allowed and doubtful.
//!
//! A mistake is an error. Advice is about what often, but not always, is one: the program says what it found, why it
//! matters, and what to write instead, and goes on. It is shown by the command `check` and at the head of a run; the key
//! `allow` of [`train!`](crate::train!) silences it by name: `allow: [Advice::SmallBatchNorm]`.
//!
//! One table, `RULES` in `table.rs`, has every rule with its sentences; the files beside it have what each looks for. They
//! ask for what a layer or an optimizer is ([`LayerKind`](crate::layer::LayerKind), [`StepSize`](crate::optim::StepSize)), not for
//! its name, so that they speak of a user's own too.

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

/// What is known of a run before its first step.
pub(crate) struct Facts<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) settings: &'a TrainConfig,
    pub(crate) data: &'a PreparedDataset,
    pub(crate) plan: &'a RunPlan,
    /// What the model gave before its first step, where that was looked at.
    pub(crate) first: Option<&'a FirstLook>,
}

/// What a model gives before its first step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstLook {
    /// Its loss, and what that is compared with; none where there is nothing to compare it with.
    pub(crate) loss: Option<FirstLoss>,
    /// Whether what it gives for one sample in evaluation changes with another one of the batch.
    pub(crate) mixes: bool,
}

/// A loss before the first step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstLoss {
    pub(crate) loss: f64,
    /// Of outputs that say nothing.
    pub(crate) baseline: f64,
    /// Whether the targets are classes or tokens, and these outputs are all alike; else they are the targets' mean.
    pub(crate) of_classes: bool,
}

/// A rule: what it looks for, and its sentences.
struct Rule {
    advice: Advice,
    find: fn(&Facts<'_>) -> Option<String>,
    why: &'static str,
    instead: &'static str,
    reference: &'static str,
}

/// Every advice to a run but that which it allows.
pub(crate) fn advice(facts: &Facts<'_>) -> Vec<Finding> {
    let allowed = &facts.settings.allow;
    let rules = RULES.iter().filter(|rule| !allowed.contains(&rule.advice));
    let finding = |rule: &Rule| {
        let &Rule { advice, why, instead, reference, .. } = rule;
        (rule.find)(facts).map(|found| Finding { advice, found, why, instead, reference })
    };
    rules.filter_map(finding).collect()
}
