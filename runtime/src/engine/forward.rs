//! The forward pass of a graph with the reference implementations of its layers.

use candle_core::{DType, Tensor, Var};
use trainspec_kernels::half::Format;

use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::layer::{Mode, Pass, Statistic};
use crate::plan::Groups;

/// The values of a graph that are rounded, and the format.
pub(super) struct Rounding {
    format: DType,
    /// Whether each value passes from one kernel of a plan to another.
    passes: Vec<bool>,
}

impl Rounding {
    /// The values that a plan of this graph rounds.
    pub(super) fn of(graph: &Graph, training: bool, format: Format) -> Self {
        let mut passes: Vec<bool> = (0..graph.shapes.len()).map(|value| value < graph.inputs.len()).collect();
        for group in Groups::of(graph, 0, training, true).list {
            passes[group.output] = true;
        }
        let format = match format {
            Format::Bf16 => DType::BF16,
            Format::F16 => DType::F16,
        };
        Self { format, passes }
    }

    /// A value as its consumers read it. In the backward pass, its gradient is rounded too.
    fn value(&self, number: usize, tensor: Tensor) -> Result<Tensor> {
        if !self.passes[number] || tensor.dtype() != DType::F32 {
            return Ok(tensor);
        }
        self.round(&tensor)
    }

    fn round(&self, tensor: &Tensor) -> Result<Tensor> {
        Ok(tensor.to_dtype(self.format)?.to_dtype(DType::F32)?)
    }

    /// The parameters as layers read them: separate variables, so that their gradients are not rounded.
    pub(super) fn weights(&self, graph: &Graph, parameters: &[Tensor]) -> Result<Vec<Tensor>> {
        let rounded = |(parameter, tensor): (&crate::layer::GraphParameter, &Tensor)| {
            if !parameter.is_rounded {
                return Ok(tensor.clone());
            }
            if parameter.frozen {
                return self.round(&tensor.detach());
            }
            Ok(Var::from_tensor(&self.round(&tensor.detach())?)?.into_inner())
        };
        graph.parameters.iter().zip(parameters).map(rounded).collect()
    }
}

/// Runs a graph by its reference implementations: the outputs, and the new running statistics.
///
/// # Shapes
/// `parameters` in the graph's order; each input with the batch as its first axis.
///
/// # Errors
/// If the tensors do not match the graph, or a candle operation fails.
pub fn forward(
    graph: &Graph,
    parameters: &[Tensor],
    inputs: &[Tensor],
    mode: Mode,
) -> Result<(Vec<Tensor>, Vec<Statistic>)> {
    forward_rounded(graph, parameters, inputs, mode, None)
}

/// [`forward`] with some values rounded.
pub(super) fn forward_rounded(
    graph: &Graph,
    parameters: &[Tensor],
    inputs: &[Tensor],
    mode: Mode,
    rounding: Option<&Rounding>,
) -> Result<(Vec<Tensor>, Vec<Statistic>)> {
    if inputs.len() != graph.inputs.len() {
        return Err(Error::arity(graph.name, graph.inputs.len(), inputs.len()));
    }
    let mut statistics: Vec<Statistic> = Vec::new();
    // A layer that is called again starts from the statistics that its call before has set.
    let mut parameters = parameters.to_vec();
    let mut values: Vec<Option<Tensor>> = vec![None; graph.shapes.len()];
    let round = |number: usize, tensor: Tensor| match rounding {
        // A model that returns its input returns it unrounded.
        Some(rounding) => rounding.value(number, tensor),
        None => Ok(tensor),
    };
    for (number, input) in inputs.iter().enumerate() {
        values[number] = Some(round(number, input.clone())?);
    }
    let reals = parameters.iter().chain(inputs).map(Tensor::dtype).find(|dtype| dtype.is_float());
    let dtype = reals.unwrap_or(DType::F32);
    let missing = || Error::Internal("a layer precedes one of its inputs");
    for node in &graph.nodes {
        let taken: Option<Vec<Tensor>> =
            node.inputs.iter().map(|&value| values.get(value).cloned().flatten()).collect();
        let own = node.parameters.iter().filter_map(|own| parameters.get(own.index).cloned());
        let (tensors, before) = (own.collect::<Vec<_>>(), statistics.len());
        let pass = Pass::new(mode, &node.path, &node.parameters, &tensors, &mut statistics);
        let mut pass = pass.with_dtype(dtype);
        let output = node
            .layer
            .forward(&taken.ok_or_else(missing)?, &mut pass)
            .map_err(|error| error.at(&node.path))?;
        for statistic in &statistics[before..] {
            if let Some(parameter) = parameters.get_mut(statistic.index) {
                *parameter = statistic.value.clone();
            }
        }
        if let Some(slot) = values.get_mut(node.output) {
            *slot = Some(round(node.output, output)?);
        }
    }
    // A model that returns its input returns it unrounded.
    let output = |output: &crate::graph::Output| match inputs.get(output.value) {
        Some(input) => Ok(input.clone()),
        None => values.get(output.value).cloned().flatten().ok_or_else(missing),
    };
    let outputs = graph.outputs.iter().map(output).collect::<Result<_>>()?;
    Ok((outputs, statistics))
}
