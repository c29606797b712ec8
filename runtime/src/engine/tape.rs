//! The tape engine: reference implementations on candle, and candle's gradients.

use std::borrow::Cow;

use candle_core::{DType, Device, Tensor, Var};
use trainspec_kernels::half::Format;

use super::forward::{Rounding, forward_rounded};
use super::objective::taped_loss;
use super::store::HostStore;
use super::{Engine, MicroBatch, Objectives, OutputLoss, initial_numbers};
use crate::data::Batch;
use crate::error::{Error, Result};
use crate::graph::{Graph, GraphParameter};
use crate::layer::{Mode, Statistic};
use crate::loss::LossSum;
use crate::op::kernels::check_tokens;
use crate::optim::{ParameterStore, Update};
use crate::rng::StepIndex;
use crate::shape::{Elements, Shape};

/// Runs a graph on candle's tape, on any of candle's devices.
///
/// Parameters, gradients and optimizer state are kept on the host in f32, so that the sums of an accumulation window
/// have the same order on every device. The device has a copy of the parameters, which is renewed after each change.
///
/// Subnormal numbers are handled as by candle and the device: on the CPU candle keeps them. The
/// [planned](super::Planned) engine flushes them to 0.
pub struct Tape {
    graph: Graph,
    objectives: Objectives,
    seed: u64,
    device: Device,
    store: HostStore,
    /// The parameters on the device.
    variables: Vec<Var>,
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
        let parameters = initial_numbers(&graph, seed).collect();
        Self::with_parameters(graph, objectives.into(), seed, device, parameters)
    }

    /// Creates an engine with these parameters, in the graph's order.
    pub(super) fn with_parameters(
        graph: Graph,
        objectives: Objectives,
        seed: u64,
        device: Device,
        parameters: Vec<Vec<f32>>,
    ) -> Result<Self> {
        let objectives = objectives.fit(&graph)?;
        let store = HostStore::new(&graph, parameters, false)?;
        let zeros = |parameter: &GraphParameter| Ok(Var::zeros(parameter.shape.axes(), DType::F32, &device)?);
        let variables = graph.parameters.iter().map(zeros).collect::<Result<_>>()?;
        Ok(Self {
            graph,
            objectives,
            seed,
            device,
            store,
            variables,
            rounding: None,
            before: None,
            predictions: Vec::new(),
        })
    }

    /// Copies the parameters to the device if they have changed.
    fn upload(&mut self) -> Result<()> {
        if self.store.take_changed() {
            let weights = self.graph.parameters.iter().zip(&self.store.weights);
            for ((parameter, weights), variable) in weights.zip(&self.variables) {
                variable.set(&Tensor::from_slice(weights, parameter.shape.axes(), &self.device)?)?;
            }
        }
        Ok(())
    }

    /// Sets running statistics, on the device and on the host.
    fn set_statistics(&mut self, statistics: Vec<Statistic>) -> Result<()> {
        for Statistic { index, value } in statistics {
            if let Some(variable) = self.variables.get(index) {
                variable.set(&value)?;
                self.store.weights[index] = value.flatten_all()?.to_vec1()?;
            }
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
        self.upload()?;
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
        let own = |(variable, parameter): (&Var, &GraphParameter)| {
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

impl Engine for Tape {
    fn store(&self) -> &dyn ParameterStore {
        &self.store
    }

    fn store_mut(&mut self) -> &mut dyn ParameterStore {
        &mut self.store
    }

    fn graph(&self) -> &Graph {
        &self.graph
    }

    fn accumulate_scaled(&mut self, batch: &Batch, at: StepIndex, scales: &[f32]) -> Result<MicroBatch> {
        self.upload()?;
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
        for (parameter, total) in parameters.iter().zip(self.store.gradients.iter_mut()) {
            if let Some(gradient) = gradients.get(parameter) {
                let gradient = gradient.flatten_all()?.to_vec1::<f32>()?;
                for (total, gradient) in total.iter_mut().zip(gradient) {
                    *total += gradient;
                }
            }
        }
        self.set_statistics(statistics)?;
        self.store.add_rows(batch);
        micro_batch(&losses)
    }

    fn open_window(&mut self, tokens: &[Vec<u32>]) -> Result<()> {
        self.store.add_tokens(tokens);
        Ok(())
    }

    fn discard(&mut self) -> Result<()> {
        let before = self.before.take().unwrap_or_default();
        self.set_statistics(before)?;
        self.store.start_window();
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        self.store.start_window();
        Ok(())
    }

    fn update(&mut self, update: &Update<'_>) -> Result<()> {
        self.store.update(update)?;
        self.store.start_window();
        self.before = None;
        Ok(())
    }

    fn observe(&mut self, batch: &Batch, at: StepIndex) -> Result<()> {
        let (_, statistics, _) = self.run(batch, Mode::Train { seed: self.seed, at })?;
        self.set_statistics(statistics)
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

    fn name(&self) -> &'static str {
        "tape"
    }
}

/// The values of the losses of a batch.
fn micro_batch(losses: &[LossSum]) -> Result<MicroBatch> {
    let mut result = MicroBatch::default();
    for LossSum { sum, weight } in losses {
        result.push(OutputLoss { loss: f64::from(sum.to_scalar::<f32>()?), weight: *weight });
    }
    Ok(result)
}
