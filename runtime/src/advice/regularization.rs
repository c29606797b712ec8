//! Weights that grow as they like, and dropout in the wrong place.

use super::Facts;
use super::model::feeder;
use super::rate::is_adaptive;
use crate::graph::Node;
use crate::human::count;
use crate::optim::{Groups, Treatment};

/// Fewer weights than this need no keeping small.
const MANY: usize = 10_000;

/// What passes values on without mixing them.
const ELEMENTWISE: &[&str] =
    &["relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", "batch_norm", "group_norm"];

pub(super) fn no_weight_decay(facts: &Facts<'_>) -> Option<String> {
    let (settings, weights) = (facts.settings, facts.graph.trained_elements());
    let drops =
        |node: &Node| matches!(node.layer.name(), "dropout" | "stochastic_depth") && key(node, "p") > 0.0;
    let attends = |node: &Node| key(node, "dropout") > 0.0;
    let smoothing =
        settings.loss.setting().to_json().get("label_smoothing").and_then(serde_json::Value::as_f64);
    let is_regularized = treatments(facts).iter().any(|t| t.weight_decay > 0.0 || t.l2 > 0.0 || t.l1 > 0.0)
        || facts.graph.nodes.iter().any(|node| drops(node) || attends(node))
        || smoothing.is_some_and(|smoothing| smoothing > 0.0)
        || settings.mix.name() != "Unmixed"
        || settings.constrain.name() != "Unconstrained"
        || settings.gradient_noise.is_some()
        || settings.early_stop.is_some();
    (weights > MANY && !is_regularized).then(|| {
        format!("{} weights, none of which decays, and no other regularization", count(weights as u64))
    })
}

pub(super) fn l2_with_adam(facts: &Facts<'_>) -> Option<String> {
    let optimizer = facts.settings.optimizer.name();
    let largest = treatments(facts).iter().map(|treatment| treatment.l2).fold(0.0, f64::max);
    (is_adaptive(optimizer) && largest > 0.0).then(|| format!("`{optimizer}` with an `l2` of {largest}"))
}

pub(super) fn convolution_dropout(facts: &Facts<'_>) -> Option<String> {
    let mut dropouts = facts.graph.nodes.iter().filter(|node| node.layer.name() == "dropout");
    dropouts.find_map(|node| {
        let p = key(node, "p");
        let mut before = feeder(facts.graph, node)?;
        while ELEMENTWISE.contains(&before.layer.name()) {
            before = feeder(facts.graph, before)?;
        }
        (p >= 0.5 && before.layer.name() == "conv2d")
            .then(|| format!("`{}` drops {p} of the values of `{}`", node.path, before.path))
    })
}

/// How each parameter is treated; none if the groups do not fit the model, which is told elsewhere.
fn treatments(facts: &Facts<'_>) -> Vec<Treatment> {
    let settings = facts.settings;
    Groups(&settings.groups)
        .treatments(&facts.graph.parameters, &*settings.optimizer, settings.base_rate())
        .unwrap_or_default()
}

/// A number among a layer's keys; 0 if it has none of that name.
fn key(node: &Node, name: &str) -> f64 {
    node.layer.to_json().get(name).and_then(serde_json::Value::as_f64).unwrap_or(0.0)
}
