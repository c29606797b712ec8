//! Finds consecutive layers of a graph.

use crate::graph::{Graph, Node};
use crate::layer::{GraphParameter, LayerKind, Role};

/// Returns the layer that produces a value; `None` for an input of the model.
pub(super) fn producer(graph: &Graph, value: usize) -> Option<&Node> {
    graph.nodes.iter().find(|node| node.output == value)
}

/// Returns the layer before a layer with one input.
pub(super) fn feeder<'a>(graph: &'a Graph, node: &Node) -> Option<&'a Node> {
    match *node.inputs {
        [input] => producer(graph, input),
        _ => None,
    }
}

/// Same as [`feeder`], if no other layer reads its output.
pub(super) fn only_feeder<'a>(graph: &'a Graph, node: &Node) -> Option<&'a Node> {
    feeder(graph, node).filter(|before| has_one_reader(graph, before.output))
}

/// Returns whether exactly one layer reads a value and the model does not output it.
pub(super) fn has_one_reader(graph: &Graph, value: usize) -> bool {
    !graph.returns(value)
        && graph.nodes.iter().flat_map(|node| &node.inputs).filter(|&&v| v == value).count() == 1
}

/// Returns the nearest preceding layer that `passes` does not skip, along values that have no other reader.
pub(super) fn behind<'a>(graph: &'a Graph, node: &Node, passes: fn(LayerKind) -> bool) -> Option<&'a Node> {
    let mut before = only_feeder(graph, node)?;
    while passes(before.layer.kind()) {
        before = only_feeder(graph, before)?;
    }
    Some(before)
}

/// Returns a layer's matrix or kernel, if it has exactly one.
pub(super) fn matrix<'a>(graph: &'a Graph, node: &Node) -> Option<&'a GraphParameter> {
    let mut own = graph.parameters_of(node);
    let matrix = own.find(|parameter| parameter.role == Role::Matrix)?;
    own.all(|parameter| parameter.role != Role::Matrix).then_some(matrix)
}

/// Names the first place and counts the others: `` `linear_1` and 2 more``.
pub(super) fn named(mut places: impl Iterator<Item = String>) -> Option<String> {
    let first = places.next()?;
    let rest = places.count();
    Some(if rest == 0 { first } else { format!("{first} and {rest} more") })
}
