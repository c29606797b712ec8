//! Engines: what runs a graph.
//!
//! An [`Engine`] holds the parameters of one graph and takes training steps. [`Tape`] runs the layers'
//! reference forms on candle and lets candle differentiate.

mod forward;
mod tape;

pub use forward::forward;
pub use tape::{Tape, initial};

use std::sync::Arc;

use candle_core::Tensor;

use crate::data::Batch;
use crate::error::Result;
use crate::graph::Graph;
use crate::optim::{AnyOptimizer, UpdateStep};
use crate::rng::Moment;
use crate::spec::Settings;

/// What an engine minimizes: from predictions and targets to the loss's sum and weight.
pub type Objective = dyn Fn(&Tensor, &Tensor) -> Result<crate::loss::LossSum> + Send + Sync;

/// What one micro-batch gave.
#[derive(Clone, Debug)]
pub struct MicroBatch {
    /// The loss summed over the batch.
    pub loss: f64,
    /// What the sum is over: samples, tokens, or class weights.
    pub weight: f64,
    /// The model's output, for metrics.
    pub prediction: Tensor,
    /// The target, as a tensor.
    pub target: Tensor,
}

/// Runs and trains one graph.
///
/// One optimizer step is a call of [`Engine::accumulate`] for each micro-batch, then one of
/// [`Engine::update`].
pub trait Engine: Send {
    /// Forward, loss and backward in training mode; adds to the gradients, and updates running statistics.
    ///
    /// # Errors
    /// If candle refuses an operation or the batch does not fit the model.
    fn accumulate(&mut self, batch: &Batch, at: Moment) -> Result<MicroBatch>;

    /// The summed gradients of the window so far, in the order of the graph's parameters; empty for a
    /// running statistic.
    fn gradients(&self) -> &[Vec<f32>];

    /// Applies the optimizer to every trained parameter with its gradient times `scale`, then clears the
    /// gradients.
    ///
    /// # Errors
    /// If a parameter cannot be written.
    fn update(&mut self, optimizer: &dyn AnyOptimizer, step: UpdateStep, scale: f64) -> Result<()>;

    /// The loss in evaluation mode, which changes nothing.
    ///
    /// # Errors
    /// If candle refuses an operation or the batch does not fit the model.
    fn evaluate(&self, batch: &Batch) -> Result<MicroBatch>;

    /// Every parameter and running statistic, in the graph's order.
    ///
    /// # Errors
    /// If they cannot be read from the device.
    fn parameters(&self) -> Result<Vec<Tensor>>;

    /// Replaces every parameter and running statistic.
    ///
    /// # Errors
    /// If a tensor's shape is not that of the graph.
    fn set_parameters(&mut self, parameters: &[Tensor]) -> Result<()>;

    /// The optimizer's state by parameter and slot; empty before the first step.
    fn optimizer_state(&self) -> &[Vec<Vec<f32>>];
}

/// The engine of a run, with initial parameters.
///
/// # Errors
/// If the device cannot be opened or refuses a parameter.
pub fn open(graph: &Graph, settings: &Settings) -> Result<Box<dyn Engine>> {
    let loss = Arc::clone(&settings.loss);
    let objective = Box::new(move |prediction: &Tensor, target: &Tensor| loss.sum(prediction, target));
    Ok(Box::new(Tape::new(graph.clone(), objective, settings.seed, settings.device.open()?)?))
}
