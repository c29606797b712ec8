//! Engines: how a graph is executed.
//!
//! An [`Engine`] holds the parameters of one graph and takes training steps. There are two. [`Planned`] is for
//! the CPU, and the default there: it runs a [`Plan`](crate::plan::Plan) of fused kernels. [`Tape`] is for every
//! device: it runs the layers' reference implementations on candle, and lets candle differentiate. Their results agree up to the
//! rounding of sums.
//!
//! In 16 bits ([`Precision`](crate::spec::Precision)) both compute in f32, and round values between
//! kernels: each output of a kernel or of a fused group of layers, the gradient of each, and the weights
//! of matrices, convolutions and biases as kernels read them. Parameters, their gradients and the sums of these, the
//! optimizer's state, statistics, scales and shifts of normalizations, softmax, losses and sums are f32. This matches
//! hardware that multiplies 16-bit values and sums in f32.

mod forward;
mod initial;
mod objective;
mod planned;
mod store;
mod tape;

pub use forward::forward;
pub use initial::initial;
pub(crate) use initial::initial_numbers;
pub use objective::{MAX_OUTPUTS, MicroBatch, Objective, Objectives, OutputLoss};
pub(crate) use planned::Inference;
pub use planned::Planned;
pub use tape::Tape;

use std::borrow::Cow;

use candle_core::Tensor;

use crate::data::Batch;
use crate::error::{Error, Result};
use crate::graph::{Graph, GraphParameter};
use crate::model_file::begin;
use crate::optim::{ParameterStore, Update};
use crate::rng::StepIndex;
use crate::shape::Shape;
use crate::spec::{Device, TrainConfig};

/// Runs and trains one graph.
///
/// One optimizer step is a call of [`Engine::accumulate`] for each micro-batch, then one of
/// [`Engine::update`]. Between them, the gradients are measured and changed by operations of the engine's
/// [store](Engine::store), which owns parameters, gradients and optimizer state.
pub trait Engine: Send {
    /// Returns what the engine trains: parameters, gradients and optimizer state, on its device.
    fn store(&self) -> &dyn ParameterStore;

    /// Returns the same, to change it.
    fn store_mut(&mut self) -> &mut dyn ParameterStore;

    /// Forward, loss and backward in training mode; adds to the gradients, and updates running statistics.
    ///
    /// # Errors
    /// If a candle operation fails or the batch does not match the model.
    fn accumulate(&mut self, batch: &Batch, at: StepIndex) -> Result<MicroBatch> {
        self.accumulate_scaled(batch, at, &[1.0; MAX_OUTPUTS])
    }

    /// Like [`Engine::accumulate`], with the loss of each output multiplied by its scale before the gradient is taken: by its
    /// weight among the outputs, and so that gradients too small for 16 bits are not lost. The losses that are reported are not
    /// scaled; the gradients are. Scales beyond the number of outputs are not read.
    ///
    /// # Errors
    /// See [`Engine::accumulate`].
    fn accumulate_scaled(&mut self, batch: &Batch, at: StepIndex, scales: &[f32]) -> Result<MicroBatch>;

    /// Starts the window with gradients of 0 if it has no micro-batch yet: for gradients of other processes. `tokens` are those of each
    /// input that their micro-batches read.
    ///
    /// # Errors
    /// If the gradients cannot be written.
    fn open_window(&mut self, tokens: &[Vec<u32>]) -> Result<()>;

    /// Discards the accumulation window: clears its gradients, and restores the running statistics from before its first
    /// micro-batch. A skipped step therefore has no effect.
    ///
    /// # Errors
    /// If a statistic cannot be written.
    fn discard(&mut self) -> Result<()>;

    /// Clears the gradients of the accumulation window, so that they can be computed again at other weights. What
    /// [`Engine::discard`] restores stays the same.
    ///
    /// # Errors
    /// If the gradients cannot be written.
    fn restart(&mut self) -> Result<()>;

    /// Applies an update to every trained parameter; the next [`Engine::accumulate`] starts a new sum.
    ///
    /// # Errors
    /// If a parameter cannot be written.
    fn update(&mut self, update: &Update<'_>) -> Result<()>;

    /// The loss in evaluation mode, which changes neither parameters nor gradients.
    ///
    /// # Errors
    /// If a candle operation fails or the batch does not match the model.
    fn evaluate(&mut self, batch: &Batch) -> Result<MicroBatch>;

    /// The forward pass in training mode, which changes only the running statistics. It is not part of a window.
    ///
    /// # Errors
    /// If a candle operation fails or the batch does not match the model; then the statistics are unspecified.
    fn observe(&mut self, batch: &Batch, at: StepIndex) -> Result<()>;

    /// An output of the model for the last batch that was accumulated or evaluated: `[batch, …]`, for metrics.
    ///
    /// # Errors
    /// If there was no such batch, or there is no output with that index.
    fn prediction(&self, output: usize) -> Result<Tensor>;

    /// The values of [`Engine::prediction`] in sample order, without a copy where possible.
    ///
    /// # Errors
    /// As [`Engine::prediction`], and if they cannot be read from the device.
    fn predictions(&self, output: usize) -> Result<Cow<'_, [f32]>>;

    /// The shape of one sample's prediction; unknown if there is no output with that index.
    fn prediction_shape(&self, output: usize) -> Shape;

    /// The graph that it runs.
    fn graph(&self) -> &Graph;

    /// Every parameter and running statistic, in the graph's order.
    ///
    /// # Errors
    /// If they cannot be read from the device.
    fn parameters(&self) -> Result<Vec<Tensor>> {
        let tensor = |(numbers, parameter): (&Vec<f32>, &GraphParameter)| {
            Ok(Tensor::from_slice(numbers, parameter.shape.axes(), &candle_core::Device::Cpu)?)
        };
        self.store().weights()?.iter().zip(&self.graph().parameters).map(tensor).collect()
    }

    /// The name of the engine in a run's manifest. Default: the name of its type.
    fn name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }

    /// Replaces every parameter and running statistic.
    ///
    /// # Errors
    /// If a tensor's shape is not that of the graph.
    fn set_parameters(&mut self, parameters: &[Tensor]) -> Result<()> {
        let about = &self.graph().parameters;
        let shapes = about.iter().map(|about| about.shape);
        let fits = |(tensor, shape): (&Tensor, Shape)| tensor.dims() == shape.axes();
        if parameters.len() != about.len() || !parameters.iter().zip(shapes).all(fits) {
            return Err(Error::Internal("the parameters are not those of the graph"));
        }
        let values = parameters.iter().map(|tensor| Ok(tensor.flatten_all()?.to_vec1()?));
        self.store_mut().set_weights(values.collect::<Result<_>>()?)
    }
}

/// The engine of a run, with parameters initialized by the settings' `init` and the layers' own: [`Planned`] on the CPU
/// if it can run the graph, otherwise [`Tape`]. The tensors that the settings' `init_from` selects are read from its file.
///
/// # Errors
/// If the device cannot be opened or a parameter cannot be created on it, or the file does not match the graph.
pub fn open(graph: &Graph, settings: &TrainConfig) -> Result<Box<dyn Engine>> {
    let mut engine = open_drawn(graph, settings)?;
    read_init(&mut *engine, graph, settings)?;
    Ok(engine)
}

/// Reads the tensors that the settings' `init_from` selects into an engine with initial parameters.
pub(crate) fn read_init(engine: &mut dyn Engine, graph: &Graph, settings: &TrainConfig) -> Result<()> {
    let Some(from) = &settings.init_from else { return Ok(()) };
    let store = engine.store_mut();
    let mut weights = store.take_weights()?;
    let read = begin(from, graph, &mut weights);
    store.set_weights(weights)?;
    read.map_err(|error| match error {
        Error::File { .. } | Error::ModelFile { .. } => {
            Error::Setting { key: "init_from".to_owned(), problem: error.to_string() }
        }
        other => other,
    })
}

/// The same without reading a file, for parameters that will all be replaced.
pub(crate) fn open_drawn(graph: &Graph, settings: &TrainConfig) -> Result<Box<dyn Engine>> {
    let graph = graph.clone().with_init(settings.init);
    let drawn = initial_numbers(&graph, settings.seed).collect();
    open_with(&graph, settings, drawn)
}

/// Whether the run computes by a plan with kernels, not on the tape.
pub(crate) fn is_planned(graph: &Graph, settings: &TrainConfig) -> bool {
    match settings.device {
        Device::Cpu => Planned::can_run(graph),
    }
}

/// The same with these parameters, in the graph's order.
pub(crate) fn open_with(
    graph: &Graph,
    settings: &TrainConfig,
    parameters: Vec<Vec<f32>>,
) -> Result<Box<dyn Engine>> {
    let objectives = &*settings.loss;
    let device = settings.device.open()?;
    let format = settings.precision.format();
    let graph = graph.clone().with_init(settings.init);
    if is_planned(&graph, settings) {
        let planned = Planned::with_parameters(graph, objectives.into(), settings.seed, parameters)?;
        return Ok(Box::new(planned.with_storage(format)));
    }
    let tape = Tape::with_parameters(graph, objectives.into(), settings.seed, device, parameters)?;
    Ok(Box::new(tape.with_format(format)))
}
