//! Fallback: layers that run in their reference implementation between planned layers.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor, Var};
use trainspec_kernels::arena::TensorArena;
use trainspec_kernels::matmul::WriteMode;

use super::run::copy;
use crate::error::{Error, Result};
use crate::graph::{Graph, Node};
use crate::layer::{Mode, Pass};
use crate::op::{Data, MAX_INPUTS, Parameters};

/// The tapes of all fallback layers, from their forward to their backward passes.
#[derive(Default)]
pub(super) struct Fallbacks(BTreeMap<usize, Tape>);

/// The candle tape of one layer.
struct Tape {
    /// The inputs; `None` for tokens, which have no gradient.
    inputs: Vec<Option<Var>>,
    parameters: Vec<Var>,
    output: Tensor,
}

impl Fallbacks {
    /// Computes the output from the inputs, recorded in training.
    #[allow(clippy::too_many_arguments, reason = "a fallback takes all that a kernel takes")]
    pub(super) fn forward(
        &mut self,
        graph: &Graph,
        (number, node): (usize, &Node),
        mode: Mode,
        size: usize,
        inputs: &[Data<'_>; MAX_INPUTS],
        parameters: &mut Parameters<'_>,
        output: &mut [f32],
    ) -> Result<()> {
        let records = mode != Mode::Evaluate;
        let mut variables = Vec::new();
        let mut tensors = Vec::new();
        for (&value, data) in node.inputs.iter().zip(inputs) {
            let mut axes = vec![size];
            axes.extend_from_slice(graph.shapes[value].axes());
            match data {
                Data::Float(reals) if !records => {
                    tensors.push(Tensor::from_slice(reals, axes, &Device::Cpu)?);
                    variables.push(None);
                }
                Data::Float(reals) => {
                    let variable = Var::from_slice(reals, axes, &Device::Cpu)?;
                    tensors.push(variable.as_tensor().clone());
                    variables.push(Some(variable));
                }
                Data::Int(wholes) => {
                    tensors.push(Tensor::from_slice(wholes, axes, &Device::Cpu)?);
                    variables.push(None);
                }
            }
        }
        let own_variables = node
            .parameters
            .iter()
            .map(|own| {
                let axes = graph.parameters[own.index].shape;
                Ok(Var::from_slice(&parameters[own.index], axes.axes(), &Device::Cpu)?)
            })
            .collect::<Result<Vec<_>>>()?;
        let tensor = |variable: &Var| {
            if records { variable.as_tensor().clone() } else { variable.as_detached_tensor() }
        };
        let own_tensors: Vec<_> = own_variables.iter().map(tensor).collect();
        let mut statistics = Vec::new();
        let mut pass = Pass::new(mode, &node.path, &node.parameters, &own_tensors, &mut statistics);
        let result = node.layer.forward(&tensors, &mut pass)?;
        let mut axes = vec![size];
        axes.extend_from_slice(graph.shapes[node.output].axes());
        if result.dims() != axes {
            let problem = format!(
                "`forward` returned shape {:?}; expected {axes:?}, as `output` declares",
                result.dims()
            );
            return Err(Error::Batch(problem));
        }
        output.copy_from_slice(&result.flatten_all()?.to_vec1::<f32>()?);
        if records {
            let all =
                parameters.exclusive().ok_or(Error::Internal("a training pass shares its parameters"))?;
            for statistic in statistics {
                let (expected, found) = (&graph.parameters[statistic.index], statistic.value.dims());
                if found != expected.shape.axes() {
                    let problem =
                        format!("`{}` is set to {found:?}; expected {}", expected.path, expected.shape);
                    return Err(Error::Batch(problem));
                }
                all[statistic.index] = statistic.value.flatten_all()?.to_vec1()?;
            }
            let tape = Tape { inputs: variables, parameters: own_variables, output: result };
            self.0.insert(number, tape);
        }
        Ok(())
    }

    /// Computes the gradients of the inputs and the parameters from that of the output.
    pub(super) fn backward(
        &mut self,
        number: usize,
        node: &Node,
        d: &[f32],
        d_inputs: [Option<(&mut [f32], WriteMode)>; MAX_INPUTS],
        gradients: &mut TensorArena,
        onto: WriteMode,
    ) -> Result<()> {
        let tape = self.0.remove(&number).ok_or(Error::Internal("a backward pass without a forward pass"))?;
        let d = Tensor::from_slice(d, tape.output.shape(), &Device::Cpu)?;
        let found = (tape.output * d)?.sum_all()?.backward()?;
        for (variable, target) in tape.inputs.iter().zip(d_inputs) {
            if let (Some(variable), Some((d_input, onto))) = (variable, target) {
                copy(found.get(variable.as_tensor()), d_input, onto)?;
            }
        }
        for (variable, own) in tape.parameters.iter().zip(&node.parameters) {
            let gradient = gradients.get_mut(own.index);
            if !gradient.is_empty() {
                copy(found.get(variable.as_tensor()), gradient, onto)?;
            }
        }
        Ok(())
    }
}
