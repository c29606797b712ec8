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
mod rows;
mod tape;
mod update;

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
use crate::graph::Graph;
use crate::model_file::begin;
use crate::optim::{HostAccess, Update};
use crate::rng::StepIndex;
use crate::shape::Shape;
use crate::spec::TrainConfig;

/// Runs and trains one graph.
///
/// One optimizer step is a call of [`Engine::accumulate`] for each micro-batch, then one of
/// [`Engine::update`].
pub trait Engine: HostAccess + Send {
    /// Forward, loss and backward in training mode; adds to the gradients, and updates running statistics.
    ///
    /// # Errors
    /// If a candle operation fails or the batch does not match the model.
    fn accumulate(&mut self, batch: &Batch, at: StepIndex) -> Result<MicroBatch> {
        self.accumulate_scaled(batch, at, &[1.0; MAX_OUTPUTS])
    }

    /// Like [`Engine::accumulate`], with the loss of each output multiplied by its scale before the gradient is taken: by its
    /// weight among the outputs, and so that gradients too small for 16 bits are not lost. The losses that are reported are not
    /// scaled; [`Engine::gradients`] are. Scales beyond the number of outputs are not read.
    ///
    /// # Errors
    /// See [`Engine::accumulate`].
    fn accumulate_scaled(&mut self, batch: &Batch, at: StepIndex, scales: &[f32]) -> Result<MicroBatch>;

    /// Changes the summed gradients of the window, which starts here if it has no micro-batch yet. `tokens` are those of each input
    /// that micro-batches of other processes read.
    ///
    /// # Errors
    /// If the gradients cannot be written.
    fn edit_window(&mut self, tokens: &[Vec<u32>], work: &mut dyn FnMut(&mut [Vec<f32>])) -> Result<()>;

    /// Discards the accumulation window: clears its gradients, and restores the running statistics from before its first
    /// micro-batch. A skipped step therefore has no effect.
    ///
    /// # Errors
    /// If a statistic cannot be written.
    fn discard(&mut self) -> Result<()>;

    /// The summed gradients of the window so far, in the order of the graph's parameters; empty for a
    /// running statistic and for a frozen parameter. After an update, contents are unspecified until a micro-batch is accumulated.
    fn gradients(&self) -> &[Vec<f32>];

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

    /// Every parameter and running statistic, in the graph's order.
    ///
    /// # Errors
    /// If they cannot be read from the device.
    fn parameters(&self) -> Result<Vec<Tensor>>;

    /// The values of [`Engine::parameters`], without a copy where possible.
    ///
    /// # Errors
    /// If they cannot be read from the device.
    fn numbers(&self) -> Result<Cow<'_, [Vec<f32>]>> {
        Ok(tape::numbers(&self.parameters()?)?.into())
    }

    /// The name of the engine in a run's manifest. Default: the name of its type.
    fn name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }

    /// Replaces every parameter and running statistic.
    ///
    /// # Errors
    /// If a tensor's shape is not that of the graph.
    fn set_parameters(&mut self, parameters: &[Tensor]) -> Result<()>;

    /// Replaces them by vectors of values, which the engine takes over without a copy where possible.
    ///
    /// # Errors
    /// If they do not match the graph.
    fn set_values(&mut self, numbers: Vec<Vec<f32>>) -> Result<()>;

    /// Consumes the engine and returns its parameters and running statistics, without a copy where possible.
    ///
    /// # Errors
    /// If they cannot be read from the device.
    fn into_values(self: Box<Self>) -> Result<Vec<Vec<f32>>>;

    /// The optimizer's state by parameter and slot; empty before the first step.
    fn optimizer_state(&self) -> &[Vec<Vec<f32>>];

    /// Replaces the optimizer's state by one that [`Engine::optimizer_state`] returned for the same graph and optimizer:
    /// the slots of each parameter, each as long as its gradient, or empty as before the first step.
    ///
    /// # Errors
    /// If it belongs to another graph. Then nothing changes.
    fn set_optimizer_state(&mut self, state: Vec<Vec<Vec<f32>>>) -> Result<()>;
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
    let mut read = Ok(());
    engine.edit(&mut |numbers| read = begin(from, graph, numbers.parameters))?;
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
    if device.is_cpu() && Planned::can_run(&graph) {
        let planned = Planned::with_parameters(graph, objectives.into(), settings.seed, parameters)?;
        return Ok(Box::new(planned.with_storage(format)));
    }
    let mut tape = Tape::new(graph, objectives, settings.seed, device)?;
    tape.set_values(parameters)?;
    Ok(Box::new(tape.with_format(format)))
}
