//! The tape engine: reference implementations on candle, and candle's gradients.

use std::borrow::Cow;

use candle_core::{DType, Device, Tensor, Var};
use trainspec_kernels::half::Format;

use super::forward::{Rounding, forward_rounded};
use super::objective::taped_loss;
use super::rows::ReadRows;
use super::update::{apply, check_state, initial_state};
use super::{Engine, MicroBatch, Objectives, OutputLoss, initial};
use crate::data::Batch;
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::layer::{Mode, Statistic};
use crate::loss::LossSum;
use crate::op::kernels::check_tokens;
use crate::optim::{HostAccess, HostParameters, Update};
use crate::rng::StepIndex;
use crate::shape::{Elements, Shape};

/// Runs a graph on candle's tape, on any of candle's devices.
///
/// Gradients and optimizer state are kept on the host in f32, so that the sums of an accumulation window
/// have the same order on every device.
///
/// Subnormal numbers are handled as by candle and the device: on the CPU candle keeps them. The
/// [planned](super::Planned) engine flushes them to 0.
pub struct Tape {
    graph: Graph,
    objectives: Objectives,
    seed: u64,
    device: Device,
    variables: Vec<Var>,
    gradients: Vec<Vec<f32>>,
    /// The rows that the window has read.
    rows: ReadRows,
    state: Vec<Vec<Vec<f32>>>,
    /// Where values are rounded in training and in evaluation; `None` in f32.
    rounding: Option<[Rounding; 2]>,
    /// The running statistics from before the window, once it has started.
    before: Option<Vec<Statistic>>,
    /// The outputs for the last batch; none before.
    predictions: Vec<Tensor>,
}

impl Tape {
    /// Creates an engine whose parameters are drawn from `seed` and their paths.
    ///
    /// # Errors
    /// If a parameter cannot be created on the device.
    pub fn new(graph: Graph, objectives: impl Into<Objectives>, seed: u64, device: Device) -> Result<Self> {
        let objectives = objectives.into().fit(&graph)?;
        let variables = initial(&graph, seed, &device)?
            .iter()
            .map(Var::from_tensor)
            .collect::<candle_core::Result<_>>()?;
        let gradients = graph
            .parameters
            .iter()
            .map(|parameter| vec![0.0; if parameter.is_trained() { parameter.shape.elements() } else { 0 }])
            .collect();
        let rows = ReadRows::of(&graph);
        Ok(Self {
            graph,
            objectives,
            seed,
            device,
            variables,
            gradients,
            rows,
            state: Vec::new(),
            rounding: None,
            before: None,
            predictions: Vec::new(),
        })
    }

    fn write(&mut self, parameters: Vec<Vec<f32>>) -> Result<()> {
        for ((parameter, variable), numbers) in
            self.graph.parameters.iter().zip(&self.variables).zip(parameters)
        {
            variable.set(&Tensor::from_vec(numbers, parameter.shape.axes(), &self.device)?)?;
        }
        Ok(())
    }

    /// Rounds values and their gradients where the planned engine rounds them.
    /// candle still computes in f32, since it does not multiply 16-bit values on every device.
    #[must_use]
    pub fn with_format(mut self, format: Option<Format>) -> Self {
        self.rounding =
            format.map(|format| [true, false].map(|training| Rounding::of(&self.graph, training, format)));
        self
    }

    /// The loss of each output, the new statistics, and the variables to differentiate by.
    fn run(&mut self, batch: &Batch, mode: Mode) -> Result<(Vec<LossSum>, Vec<Statistic>, Vec<Tensor>)> {
        // candle treats the largest u32 as no row.
        let mut inputs = Vec::new();
        for (input, shape) in batch.inputs.iter().zip(self.graph.shapes_of_inputs()) {
            if let (Elements::Int(tokens), Some(vocabulary)) = (&input.elements, shape.vocabulary()) {
                check_tokens(tokens, vocabulary)?;
            }
            inputs.push(input.to_tensor(batch.size, &self.device)?);
        }
        let rounding = self.rounding.as_ref().map(|[train, evaluate]| match mode {
            Mode::Train { .. } => train,
            Mode::Evaluate => evaluate,
        });
        // candle computes no gradient for detached tensors.
        let own = |(variable, parameter): (&Var, &crate::graph::GraphParameter)| {
            if parameter.frozen { variable.as_detached_tensor() } else { variable.as_tensor().clone() }
        };
        let parameters: Vec<_> = self.variables.iter().zip(&self.graph.parameters).map(own).collect();
        let parameters = match rounding {
            Some(rounding) => rounding.weights(&self.graph, &parameters)?,
            None => parameters,
        };
        let (predictions, statistics) = forward_rounded(&self.graph, &parameters, &inputs, mode, rounding)?;
        let losses = self.objectives.iter().zip(&predictions).enumerate();
        let losses = losses
            .map(|(output, (objective, prediction))| taped_loss(&**objective, prediction, batch, output))
            .collect::<Result<_>>()?;
        self.predictions = predictions.iter().map(Tensor::detach).collect();
        Ok((losses, statistics, parameters))
    }
}

impl HostAccess for Tape {
    fn edit(&mut self, work: &mut dyn FnMut(HostParameters<'_>)) -> Result<()> {
        let mut parameters = numbers(&self.parameters()?)?;
        work(HostParameters { parameters: &mut parameters, gradients: &mut self.gradients });
        self.write(parameters)
    }
}

impl Engine for Tape {
    fn accumulate_scaled(&mut self, batch: &Batch, at: StepIndex, scales: &[f32]) -> Result<MicroBatch> {
        if self.before.is_none() {
            let parameters = self.graph.parameters.iter().zip(&self.variables).enumerate();
            let statistics =
                parameters.filter(|(_, (parameter, _))| parameter.role == crate::layer::Role::Statistic);
            let copies = statistics.map(|(index, (_, variable))| {
                Ok(Statistic { index, value: variable.as_detached_tensor().copy()? })
            });
            self.before = Some(copies.collect::<Result<_>>()?);
        }
        let (losses, statistics, parameters) = self.run(batch, Mode::Train { seed: self.seed, at })?;
        let mut objective: Option<Tensor> = None;
        for (loss, &scale) in losses.iter().zip(scales) {
            let term = loss.sum.affine(f64::from(scale), 0.0)?;
            objective = Some(match objective {
                None => term,
                Some(sum) => (sum + term)?,
            });
        }
        let gradients = objective.ok_or(Error::Internal("a step without a loss"))?.backward()?;
        for (parameter, total) in parameters.iter().zip(&mut self.gradients) {
            if let Some(gradient) = gradients.get(parameter) {
                let gradient = gradient.flatten_all()?.to_vec1::<f32>()?;
                for (total, gradient) in total.iter_mut().zip(gradient) {
                    *total += gradient;
                }
            }
        }
        for statistic in statistics {
            if let Some(variable) = self.variables.get(statistic.index) {
                variable.set(&statistic.value)?;
            }
        }
        self.rows.add(batch);
        micro_batch(&losses)
    }

    fn edit_window(&mut self, tokens: &[Vec<u32>], work: &mut dyn FnMut(&mut [Vec<f32>])) -> Result<()> {
        tokens.iter().enumerate().for_each(|(input, tokens)| self.rows.add_tokens(input, tokens));
        work(&mut self.gradients);
        Ok(())
    }

    fn discard(&mut self) -> Result<()> {
        for statistic in self.before.take().unwrap_or_default() {
            if let Some(variable) = self.variables.get(statistic.index) {
                variable.set(&statistic.value)?;
            }
        }
        for gradient in &mut self.gradients {
            gradient.fill(0.0);
        }
        self.rows.clear();
        Ok(())
    }

    fn gradients(&self) -> &[Vec<f32>] {
        &self.gradients
    }

    fn update(&mut self, update: &Update<'_>) -> Result<()> {
        if self.state.is_empty() {
            self.state = initial_state(update, &self.gradients);
        }
        let mut weights = numbers(&self.parameters()?)?;
        apply(update, &self.graph, &mut weights, &self.gradients, &mut self.state, &self.rows);
        self.rows.clear();
        for gradient in &mut self.gradients {
            gradient.fill(0.0);
        }
        self.before = None;
        self.write(weights)
    }

    fn evaluate(&mut self, batch: &Batch) -> Result<MicroBatch> {
        let (losses, ..) = self.run(batch, Mode::Evaluate)?;
        micro_batch(&losses)
    }

    fn prediction(&self, output: usize) -> Result<Tensor> {
        let missing = Error::Internal("a prediction was requested before any batch");
        self.predictions.get(output).cloned().ok_or(missing)
    }

    fn predictions(&self, output: usize) -> Result<Cow<'_, [f32]>> {
        Ok(self.prediction(output)?.flatten_all()?.to_dtype(DType::F32)?.to_vec1::<f32>()?.into())
    }

    fn prediction_shape(&self, output: usize) -> Shape {
        self.graph.shape_of_output(output)
    }

    fn parameters(&self) -> Result<Vec<Tensor>> {
        Ok(self
            .variables
            .iter()
            .map(|variable| variable.as_detached_tensor().copy())
            .collect::<candle_core::Result<_>>()?)
    }

    fn name(&self) -> &'static str {
        "tape"
    }

    fn set_parameters(&mut self, parameters: &[Tensor]) -> Result<()> {
        if parameters.len() != self.variables.len() {
            return Err(Error::Internal("the number of parameters is not that of the graph"));
        }
        for (variable, parameter) in self.variables.iter().zip(parameters) {
            variable.set(parameter)?;
        }
        Ok(())
    }

    fn set_values(&mut self, numbers: Vec<Vec<f32>>) -> Result<()> {
        let expected = self.graph.parameters.iter().map(|parameter| parameter.shape.elements());
        if !numbers.iter().map(Vec::len).eq(expected) {
            return Err(Error::Internal("the parameters are not those of the graph"));
        }
        self.write(numbers)
    }

    fn into_values(self: Box<Self>) -> Result<Vec<Vec<f32>>> {
        numbers(&self.parameters()?)
    }

    fn optimizer_state(&self) -> &[Vec<Vec<f32>>] {
        &self.state
    }

    fn set_optimizer_state(&mut self, state: Vec<Vec<Vec<f32>>>) -> Result<()> {
        check_state(&state, &self.gradients)?;
        self.state = state;
        Ok(())
    }
}

/// The values of some tensors.
pub(super) fn numbers(tensors: &[Tensor]) -> Result<Vec<Vec<f32>>> {
    tensors.iter().map(|tensor| Ok(tensor.flatten_all()?.to_vec1()?)).collect()
}

/// The values of the losses of a batch.
fn micro_batch(losses: &[LossSum]) -> Result<MicroBatch> {
    let mut result = MicroBatch::default();
    for LossSum { sum, weight } in losses {
        result.push(OutputLoss { loss: f64::from(sum.to_scalar::<f32>()?), weight: *weight });
    }
    Ok(result)
}
