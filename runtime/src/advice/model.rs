//! Advice on layers that do not work well together.

use super::Facts;
use super::batch::micro_batch;
use super::chain::{behind, feeder, matrix, named, only_feeder, producer};
use crate::graph::{Graph, Node};
use crate::layer::{GraphParameter, LayerKind, Role};

/// Below this many samples batch statistics are noisy: in Wu & He 2018 the error with batch norm rises from 16 samples to
/// 8 and ever faster below.
const FEW: usize = 8;

/// From this many samples on, the error in their paper equals that of a large batch; a step with `accumulate` could use
/// as many.
const ENOUGH: usize = 16;

pub(super) fn batch_norm_bias(facts: &Facts<'_>) -> Option<String> {
    let graph = facts.graph;
    let biased = graph.nodes.iter().filter(|node| is_batch_norm(node)).filter_map(|norm| {
        // If something else also reads the value, the bias has an effect there.
        let before = only_feeder(graph, norm).filter(|node| node.layer.kind() == LayerKind::Affine)?;
        let has_bias = graph
            .parameters_of(before)
            .any(|parameter| parameter.role == Role::Bias && parameter.is_trained());
        has_bias.then(|| format!("`{}`", before.path))
    });
    Some(format!("{} has a bias and is followed directly by a batch norm", named(biased)?))
}

pub(super) fn small_batch_norm(facts: &Facts<'_>) -> Option<String> {
    let norm = facts.graph.nodes.iter().find(|node| is_batch_norm(node))?;
    let batch = micro_batch(facts);
    (batch < FEW).then(|| format!("`{}` computes its statistics from {batch} samples", norm.path))
}

pub(super) fn accumulated_batch_norm(facts: &Facts<'_>) -> Option<String> {
    let norm = facts.graph.nodes.iter().find(|node| is_batch_norm(node))?;
    let (batch, accumulate) = (micro_batch(facts), facts.settings.accumulate);
    (accumulate > 1 && (FEW..ENOUGH).contains(&batch)).then(|| {
        format!(
            "`{}` computes its statistics from {batch} samples at a time, in steps of {accumulate} x {batch}",
            norm.path
        )
    })
}

pub(super) fn dropout_before_batch_norm(facts: &Facts<'_>) -> Option<String> {
    let graph = facts.graph;
    graph.nodes.iter().filter(|node| is_batch_norm(node)).find_map(|norm| {
        let mut before = feeder(graph, norm)?;
        loop {
            match before.layer.kind() {
                LayerKind::Dropout { p } if p > 0.0 => {
                    return Some(format!("`{}` before `{}`", before.path, norm.path));
                }
                // Another norm rescales the values and so removes the effect of the dropout.
                LayerKind::Norm | LayerKind::BatchNorm => return None,
                _ => before = feeder(graph, before)?,
            }
        }
    })
}

pub(super) fn norm_twice(facts: &Facts<'_>) -> Option<String> {
    let graph = facts.graph;
    let norms = graph.nodes.iter().filter(|node| node.layer.kind().is_norm());
    let pairs = norms.filter_map(|norm| {
        let before = behind(graph, norm, |nature| matches!(nature, LayerKind::Layout))?;
        before.layer.kind().is_norm().then(|| format!("`{}` after `{}`", norm.path, before.path))
    });
    named(pairs)
}

pub(super) fn activation_twice(facts: &Facts<'_>) -> Option<String> {
    let graph = facts.graph;
    let activations = graph.nodes.iter().filter(|node| node.layer.kind().is_activation());
    let pairs = activations.filter_map(|node| {
        let before =
            behind(graph, node, |nature| matches!(nature, LayerKind::Layout | LayerKind::Dropout { .. }))?;
        before.layer.kind().is_activation().then(|| format!("`{}` after `{}`", node.path, before.path))
    });
    named(pairs)
}

/// A bottleneck between the two is a deliberate choice, and so are grouped convolutions.
pub(super) fn linear_twice(facts: &Facts<'_>) -> Option<String> {
    let graph = facts.graph;
    let affine = graph.nodes.iter().filter(|node| node.layer.kind() == LayerKind::Affine);
    let pairs = affine.filter_map(|node| {
        let before =
            behind(graph, node, |nature| matches!(nature, LayerKind::Layout | LayerKind::Dropout { .. }))?;
        let is_plain = before.layer.kind() == LayerKind::Affine
            && [before, node].iter().all(|node| !sees_some_channels(graph, node) && is_trained(graph, node));
        let elements = |value: usize| graph.shapes.get(value).map_or(0, |shape| shape.elements());
        let [first] = *before.inputs else { return None };
        let is_waist = elements(before.output) < elements(first).min(elements(node.output));
        (is_plain && !is_waist).then(|| format!("`{}` after `{}`", node.path, before.path))
    });
    named(pairs)
}

pub(super) fn relu_output(facts: &Facts<'_>) -> Option<String> {
    let mut last = facts.graph.outputs.iter().filter_map(|output| producer(facts.graph, output.value));
    let last = last.find(|last| last.layer.kind() == LayerKind::Rectifier)?;
    Some(format!("the model ends with `{}`", last.path))
}

pub(super) fn recurrent_without_clip(facts: &Facts<'_>) -> Option<String> {
    let node = facts.graph.nodes.iter().find(|node| node.layer.kind() == LayerKind::Recurrent)?;
    (facts.settings.clip.name() == "NoClip").then(|| format!("`{}` without `clip`", node.path))
}

pub(super) fn looks_ahead(facts: &Facts<'_>) -> Option<String> {
    let sees_all = |node: &&Node| node.layer.kind() == LayerKind::Attention { causal: false };
    let node = facts.graph.nodes.iter().find(sees_all)?;
    facts.data.patterns().any(|(_, patterns)| patterns.next_tokens()).then(|| {
        format!(
            "each target is the next token of the input, and `{}` attends to every token of it",
            node.path
        )
    })
}

fn is_batch_norm(node: &Node) -> bool {
    node.layer.kind() == LayerKind::BatchNorm
}

fn is_trained(graph: &Graph, node: &Node) -> bool {
    matrix(graph, node).is_some_and(GraphParameter::is_trained)
}

/// Returns whether each output of a kernel reads fewer channels than its image has.
fn sees_some_channels(graph: &Graph, node: &Node) -> bool {
    let channels =
        node.inputs.first().and_then(|&value| graph.shapes.get(value)).filter(|shape| shape.rank() == 3);
    match (channels, matrix(graph, node).and_then(GraphParameter::inputs_per_output)) {
        (Some(channels), Some(inputs)) => inputs < channels.axes()[0],
        _ => false,
    }
}
