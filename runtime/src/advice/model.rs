//! Layers that do not go together.

use super::Facts;
use super::batch::micro_batch;
use crate::graph::{Graph, Node};
use crate::layer::Role;

/// Below this many samples statistics of a batch are noise; Wu & He 2018 show the error of batch norm from 8 downwards.
const FEW: usize = 8;

/// The layer that gives a value; none for an input of the model.
pub(super) fn producer(graph: &Graph, value: usize) -> Option<&Node> {
    graph.nodes.iter().find(|node| node.output == value)
}

/// The layer before a layer that takes one value.
pub(super) fn feeder<'a>(graph: &'a Graph, node: &Node) -> Option<&'a Node> {
    match *node.inputs {
        [input] => producer(graph, input),
        _ => None,
    }
}

pub(super) fn batch_norm_bias(facts: &Facts<'_>) -> Option<String> {
    let graph = facts.graph;
    let norms = graph.nodes.iter().filter(|node| node.layer.name() == "batch_norm");
    let biased: Vec<_> = norms
        .filter_map(|norm| {
            let before =
                feeder(graph, norm).filter(|node| matches!(node.layer.name(), "conv2d" | "linear"))?;
            let has_bias = graph.parameters[before.parameters.clone()]
                .iter()
                .any(|parameter| parameter.role == Role::Bias && parameter.is_trained());
            // What something else reads too, the bias does reach.
            let readers = graph.nodes.iter().filter(|node| node.inputs.contains(&before.output)).count();
            (has_bias && readers == 1).then(|| format!("`{}`", before.path))
        })
        .collect();
    let (first, rest) = biased.split_first()?;
    let others = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    Some(format!("{first}{others} has a bias and stands directly before a batch norm"))
}

pub(super) fn small_batch_norm(facts: &Facts<'_>) -> Option<String> {
    let norm = facts.graph.nodes.iter().find(|node| node.layer.name() == "batch_norm")?;
    let batch = micro_batch(facts);
    (batch < FEW).then(|| format!("`{}` takes its statistics from {batch} samples", norm.path))
}

pub(super) fn relu_output(facts: &Facts<'_>) -> Option<String> {
    let last = producer(facts.graph, facts.graph.output)?;
    (last.layer.name() == "relu").then(|| format!("the model ends with `{}`", last.path))
}

pub(super) fn recurrent_without_clip(facts: &Facts<'_>) -> Option<String> {
    let node = facts.graph.nodes.iter().find(|node| matches!(node.layer.name(), "lstm" | "gru"))?;
    (facts.settings.clip.name() == "NoClip").then(|| format!("`{}` without `clip`", node.path))
}
