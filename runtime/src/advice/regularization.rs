//! Advice on missing regularization and on misplaced dropout.

use super::Facts;
use super::chain::feeder;
use crate::format::count;
use crate::graph::Node;
use crate::layer::LayerKind;
use crate::op::Lowering;
use crate::optim::{Groups, ParameterConfig, StepSize};

/// Models with fewer weights than this do not need regularization.
const MANY: usize = 10_000;

pub(super) fn no_weight_decay(facts: &Facts<'_>) -> Option<String> {
    let (settings, weights) = (facts.settings, facts.graph.trained_elements());
    // Attention has its own dropout.
    let drops = |node: &Node| {
        let form = node.layer.lowering(&facts.graph.input_shapes(node));
        matches!(form, Lowering::Dropout { p, .. } if p > 0.0)
            || matches!(node.layer.kind(), LayerKind::Dropout { p } if p > 0.0)
            || key(node, "dropout") > 0.0
    };
    let smoothing =
        settings.loss.iter().find_map(|loss| loss.setting().to_json().get("label_smoothing")?.as_f64());
    let is_regularized = treatments(facts).iter().any(|t| t.weight_decay > 0.0 || t.l2 > 0.0 || t.l1 > 0.0)
        || facts.graph.nodes.iter().any(drops)
        || smoothing.is_some_and(|smoothing| smoothing > 0.0)
        || settings.mix.name() != "Unmixed"
        || !settings.augment.is_empty()
        || settings.constrain.name() != "Unconstrained"
        || settings.gradient_noise.is_some()
        || settings.early_stop.is_some();
    (weights > MANY && !is_regularized).then(|| {
        format!("{} weights without weight decay or any other regularization", count(weights as u64))
    })
}

pub(super) fn l2_with_adam(facts: &Facts<'_>) -> Option<String> {
    let optimizer = &facts.settings.optimizer;
    let is_divided = matches!(optimizer.step_size(), StepSize::SecondMoment { .. });
    let largest = treatments(facts).iter().map(|treatment| treatment.l2).fold(0.0, f64::max);
    (is_divided && largest > 0.0).then(|| format!("`{}` with an `l2` of {largest}", optimizer.name()))
}

pub(super) fn convolution_dropout(facts: &Facts<'_>) -> Option<String> {
    let graph = facts.graph;
    graph.nodes.iter().find_map(|node| {
        let LayerKind::Dropout { p } = node.layer.kind() else { return None };
        let mut before = feeder(graph, node)?;
        // Skip layers that do not mix values.
        while before.layer.kind().is_activation() || before.layer.kind().is_norm() {
            before = feeder(graph, before)?;
        }
        let is_image = graph.shapes.get(before.output).is_some_and(|shape| shape.rank() == 3);
        (p >= 0.5 && is_image && before.layer.kind() == LayerKind::Affine)
            .then(|| format!("`{}` drops {p} of the values of `{}`", node.path, before.path))
    })
}

/// Returns the settings of each parameter; empty if the groups do not fit the model, which is reported elsewhere.
pub(super) fn treatments(facts: &Facts<'_>) -> Vec<ParameterConfig> {
    let settings = facts.settings;
    Groups(&settings.groups)
        .treatments(&facts.graph.parameters, &*settings.optimizer, settings.base_rate())
        .unwrap_or_default()
}

/// Returns a numeric key of a layer; 0 if it has no key of that name.
fn key(node: &Node, name: &str) -> f64 {
    node.layer.to_json().get(name).and_then(serde_json::Value::as_f64).unwrap_or(0.0)
}
