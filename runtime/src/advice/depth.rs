//! Advice on depth: how much of the input signal remains after many layers.

use super::Facts;
use super::chain::{behind, has_one_reader, matrix, named};
use crate::graph::{Graph, Node};
use crate::layer::{GraphParameter, Init, LayerKind};

/// A variance below this has vanished. In He et al. 2015, with Xavier initialization, under which each
/// rectifier halves the variance, a network of 30 layers stalls (29 rectifiers: 2e-9); one of 22 learns (5e-7).
const VANISHED: f64 = 1e-8;

/// In He et al. 2016 plain networks with norms get worse from 20 layers to 56 on CIFAR-10, and from 18 to 34 on
/// larger images.
const DEEP: usize = 20;

/// The state of the signal along consecutive layers, since the last norm or sum renewed it.
#[derive(Clone, Copy)]
struct Way<'a> {
    /// The first layer with weights.
    first: Option<&'a Node>,
    /// The number of layers with weights.
    layers: usize,
    /// The variance of the values relative to that of the input.
    variance: f64,
}

impl Way<'_> {
    const START: Self = Self { first: None, layers: 0, variance: 1.0 };
}

/// Returns the longest path to each layer of a graph.
fn ways(graph: &Graph) -> Vec<(&Node, Way<'_>)> {
    let mut ways: Vec<(&Node, Way<'_>)> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let before = match *node.inputs {
            [input] if has_one_reader(graph, input) => {
                ways.iter().find(|(before, _)| before.output == input).map_or(Way::START, |(_, way)| *way)
            }
            _ => Way::START,
        };
        let way = match node.layer.kind() {
            LayerKind::Affine => match matrix(graph, node).and_then(gain) {
                Some(gain) => Way {
                    first: before.first.or(Some(node)),
                    layers: before.layers + 1,
                    variance: before.variance * gain,
                },
                None => Way::START,
            },
            // A rectifier halves the mean square of a symmetric distribution.
            LayerKind::Rectifier => Way { variance: before.variance / 2.0, ..before },
            LayerKind::Activation | LayerKind::Layout | LayerKind::Dropout { .. } | LayerKind::Pool => before,
            _ => Way::START,
        };
        ways.push((node, way));
    }
    ways
}

/// Returns the factor by which a weight multiplies the variance of its input: `fan_in` times its own variance.
fn gain(parameter: &GraphParameter) -> Option<f64> {
    let &[out, ref rest @ ..] = parameter.shape.axes() else { return None };
    let fan_in = rest.iter().map(|&axis| axis as f64).product::<f64>();
    let variance = match parameter.init {
        Init::Uniform { bound } => bound * bound / 3.0,
        Init::Normal { std } => std * std,
        // Truncated at two standard deviations.
        Init::TruncatedNormal { std } => (0.8796 * std).powi(2),
        // Rows have length `gain`, or columns if these are fewer.
        Init::Orthogonal { gain } => gain * gain / fan_in.max(out as f64),
        // `symmetric_weights` covers these.
        Init::Zeros | Init::Ones | Init::RowNorms | Init::Constant { .. } => return None,
    };
    Some(fan_in * variance)
}

pub(super) fn vanishing_signal(facts: &Facts<'_>) -> Option<String> {
    let (node, way) = ways(facts.graph).into_iter().find(|(_, way)| way.variance < VANISHED)?;
    Some(format!(
        "with the initial weights, the variance at the input of `{}` shrinks to {:.0e} of its value at `{}`, {} layers \
         later",
        way.first?.path, way.variance, node.path, way.layers
    ))
}

pub(super) fn deep_plain_stack(facts: &Facts<'_>) -> Option<String> {
    let ways = ways(facts.graph);
    if ways.iter().any(|(_, way)| way.variance < VANISHED) {
        return None;
    }
    let (node, way) =
        ways.into_iter().max_by_key(|(_, way)| way.layers).filter(|(_, way)| way.layers > DEEP)?;
    Some(format!(
        "{} layers from `{}` to `{}` without a norm or a sum between them",
        way.layers, way.first?.path, node.path
    ))
}

pub(super) fn symmetric_weights(facts: &Facts<'_>) -> Option<String> {
    let graph = facts.graph;
    let passes = |nature: LayerKind| {
        nature.is_activation()
            || nature.is_norm()
            || matches!(nature, LayerKind::Layout | LayerKind::Dropout { .. } | LayerKind::Pool)
    };
    let is_constant = |node: &Node| {
        matrix(graph, node).is_some_and(|weight| {
            weight.is_trained()
                && matches!(weight.init, Init::Zeros | Init::Ones | Init::Constant { .. })
                && weight.shape.elements() > 1
        })
    };
    let pairs = graph.nodes.iter().filter(|node| is_constant(node)).filter_map(|node| {
        let before = behind(graph, node, passes)?;
        is_constant(before).then(|| format!("`{}` and the following `{}`", before.path, node.path))
    });
    Some(format!("{} have all weights initialized to one constant", named(pairs)?))
}
