//! Where the parameters of a model, their gradients and the optimizer's state are kept, and what a step does with them.

use std::borrow::Cow;
use std::fmt::{Debug, Formatter};

use super::{AnyConstraint, Unit, Update};
use crate::error::Result;
use crate::layer::NodeParameter;
use crate::rng::{StepIndex, Stream};
use crate::world::World;

/// The parameters and running statistics of a graph, the gradients of an accumulation window, the optimizer's state and copies of the
/// weights, in the memory of the device that an [`Engine`](crate::engine::Engine) computes on.
///
/// All that a step does with them is an operation of the store, described by data that a device can execute. Rules that are written in
/// Rust ([`UnitClip::Host`], [`Constraint::constrain`](super::Constraint::constrain), [`Optimizer::rule`](super::Optimizer::rule)) run on
/// the host, to which a store on a device copies what they read. The other copies to the host are explicit: [`weights`], [`gradients`],
/// [`optimizer_state`] and [`copied`], which snapshots and checkpoints take, and [`edit`].
///
/// Lists are in the order of the graph's parameters. A running statistic and a frozen parameter have no gradient: theirs is empty.
///
/// [`weights`]: ParameterStore::weights
/// [`gradients`]: ParameterStore::gradients
/// [`optimizer_state`]: ParameterStore::optimizer_state
/// [`copied`]: ParameterStore::copied
/// [`edit`]: ParameterStore::edit
///
/// # Errors
/// Every method fails if the device cannot be read or written, or memory cannot be allocated.
#[allow(clippy::missing_errors_doc, reason = "above, for all methods")]
pub trait ParameterStore: Send {
    /// Returns every parameter and running statistic, without a copy where possible.
    fn weights(&self) -> Result<Cow<'_, [Vec<f32>]>>;

    /// Replaces them, and takes over the vectors without a copy where possible. Fails if they do not match the graph.
    fn set_weights(&mut self, weights: Vec<Vec<f32>>) -> Result<()>;

    /// Moves them out of the store, which cannot be used afterwards.
    fn take_weights(&mut self) -> Result<Vec<Vec<f32>>>;

    /// Returns the optimizer's state by parameter and slot, without a copy where possible; empty before the first step.
    fn optimizer_state(&self) -> Result<Cow<'_, [Vec<Vec<f32>>]>>;

    /// Replaces the optimizer's state by one that [`ParameterStore::optimizer_state`] returned for the same graph and optimizer:
    /// the slots of each parameter, or empty as before the first step. Fails without a change if it belongs to another graph; the next
    /// update fails if it belongs to another optimizer.
    fn set_optimizer_state(&mut self, state: Vec<Vec<Vec<f32>>>) -> Result<()>;

    /// Returns a copy of the summed gradients of the window so far. After an update, their values are unspecified until a micro-batch
    /// is accumulated.
    fn gradients(&self) -> Result<Vec<Vec<f32>>>;

    /// Calls `work`, which may read and change the parameters and the summed gradients on the host. A device copies them there and
    /// back.
    fn edit(&mut self, work: &mut dyn FnMut(HostParameters<'_>)) -> Result<()>;

    /// Writes the sum of squares of each gradient to `sums`, one for each parameter; 0 for one without a gradient.
    fn squares(&self, sums: &mut [f64]) -> Result<()>;

    /// Returns whether the magnitude of a gradient element times its parameter's scale exceeds `most`.
    fn exceeds(&self, scales: &[f64], most: f64) -> Result<bool>;

    /// Returns the index of the first parameter whose gradient is not finite.
    fn first_non_finite(&self) -> Result<Option<usize>>;

    /// Multiplies the gradient of each parameter by its scale, and bounds the magnitude of each element by `bound` then.
    fn scale(&mut self, scales: &[f64], bound: f64) -> Result<()>;

    /// Adds normal noise with this standard deviation to each gradient, each from its own stream. The row of a padding token,
    /// [`GraphParameter::zero_row`](crate::graph::GraphParameter::zero_row), has none, so that it stays 0.
    fn add_noise(&mut self, std: f32, streams: &[Stream], at: StepIndex) -> Result<()>;

    /// Clips the gradients of units: of the weights of one output each. Those of the parameters `except` stay as they are.
    fn clip_units(&mut self, clip: UnitClip<'_>, except: &[NodeParameter]) -> Result<()>;

    /// Adds `factor` times its gradient to each trained weight.
    fn perturb(&mut self, factor: f64) -> Result<()>;

    /// Takes one optimizer step of every parameter that has a gradient.
    fn update(&mut self, update: &Update<'_>) -> Result<()>;

    /// Sets the gradients of parameters that are held to 0. `held` has an entry for each parameter.
    fn hold(&mut self, held: &[bool]) -> Result<()>;

    /// Applies a constraint to the units of all trained weights with a matching role, except those that are held; an empty list holds none.
    fn constrain(&mut self, constraint: &dyn AnyConstraint, held: &[bool]) -> Result<()>;

    /// Sets a copy of all parameters and running statistics to their current values.
    fn copy(&mut self, to: WeightCopy) -> Result<()>;

    /// Returns a copy of the weights, if there is one.
    fn copied(&self, from: WeightCopy) -> Result<Option<Cow<'_, [Vec<f32>]>>>;

    /// Sets a copy to these values. Fails if they do not match the graph.
    fn set_copy(&mut self, to: WeightCopy, weights: Vec<Vec<f32>>) -> Result<()>;

    /// Swaps the weights with a copy, if there is one.
    fn swap(&mut self, with: WeightCopy) -> Result<()>;

    /// Moves each trained weight of [`WeightCopy::Average`] the fraction `share` of the way to its current value; copies the others.
    fn average(&mut self, share: f32) -> Result<()>;

    /// Sets [`WeightCopy::Average`], which must exist, to the point on the line from each trained weight to a slot of its optimizer state
    /// that is `share` of the way; copies the others, and all weights before the first step.
    fn derive_average(&mut self, slot: usize, share: f32) -> Result<()>;

    /// Sets all gradients to -0, the value that changes no bit of what is added to it.
    fn clear(&mut self) -> Result<()>;

    /// Starts a sum of gradients over the processes of a world.
    fn begin_sum(&mut self) -> Result<()>;

    /// Adds the gradients of each process to the sum, in the order of the processes; those of this one only if it `contributes`.
    fn add_to_sum(&mut self, world: &World, contributes: bool) -> Result<()>;

    /// Replaces the gradients by the sum.
    fn finish_sum(&mut self) -> Result<()>;
}

/// A copy of the weights that a run keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeightCopy {
    /// The average over the steps of the run.
    Average,
    /// The best weights so far.
    Best,
    /// The weights of a step whose gradient is computed at perturbed ones.
    Unperturbed,
}

/// How the gradients of units are clipped.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum UnitClip<'a> {
    /// To the norm `factor * max(|weights|, eps)`: [`AdaptiveGrad`](struct@super::AdaptiveGrad).
    Adaptive {
        /// The largest ratio of the norms.
        factor: f64,
        /// The lower bound for the norm of the weights.
        eps: f64,
    },
    /// By a rule that runs on the host, in parallel.
    Host(&'a (dyn Fn(Unit<'_>) + Sync)),
}

impl Debug for UnitClip<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Adaptive { factor, eps } => {
                f.debug_struct("Adaptive").field("factor", factor).field("eps", eps).finish()
            }
            Self::Host(_) => f.write_str("Host"),
        }
    }
}

/// The parameters and gradients of a graph on the host, in the order of its parameters.
#[derive(Debug)]
pub struct HostParameters<'a> {
    /// All parameters and running statistics. Each must keep its length.
    pub parameters: &'a mut [Vec<f32>],
    /// The summed gradients; between an update and the next micro-batch their values are unspecified.
    pub gradients: &'a mut [&'a mut [f32]],
}
