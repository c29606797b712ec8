//! The forward pass of a graph in reference form.

use candle_core::Tensor;

use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::layer::{Mode, Pass, Statistic};

/// Runs a graph in reference form: the output, and the new running statistics.
///
/// # Shapes
/// `parameters` in the graph's order; each input with the batch as its first axis.
///
/// # Errors
/// If the tensors do not fit the graph, or candle refuses an operation.
pub fn forward(
    graph: &Graph,
    parameters: &[Tensor],
    inputs: &[Tensor],
    mode: Mode,
) -> Result<(Tensor, Vec<Statistic>)> {
    if inputs.len() != graph.inputs {
        return Err(Error::arity(graph.name, graph.inputs, inputs.len()));
    }
    let mut statistics = Vec::new();
    let mut values: Vec<Option<Tensor>> = vec![None; graph.shapes.len()];
    for (slot, input) in values.iter_mut().zip(inputs) {
        *slot = Some(input.clone());
    }
    let missing = || Error::Internal("a layer stands before the value that it takes");
    for node in &graph.nodes {
        let taken: Option<Vec<Tensor>> =
            node.inputs.iter().map(|&value| values.get(value).cloned().flatten()).collect();
        let own = graph.parameters.get(node.parameters.clone()).unwrap_or_default();
        let tensors = parameters.get(node.parameters.clone()).unwrap_or_default();
        let mut pass = Pass::new(mode, &node.path, (node.parameters.start, own), tensors, &mut statistics);
        let output = node
            .layer
            .forward(&taken.ok_or_else(missing)?, &mut pass)
            .map_err(|error| error.at(&node.path))?;
        if let Some(slot) = values.get_mut(node.output) {
            *slot = Some(output);
        }
    }
    let output = values.get(graph.output).cloned().flatten().ok_or_else(missing)?;
    Ok((output, statistics))
}
