//! The spec: what was declared.
//!
//! [`Spec`] is what `train!` fills in, a constant made of the user's own values. [`Settings`] is the same
//! when the program runs: every default spelled out, and open to changes from the command line.

mod bound;
mod checkpoint;
mod device;
mod early_stop;
mod precision;
mod rules;
mod settings;

pub use bound::{BoundLoss, BoundMetric};
pub use checkpoint::Checkpoint;
pub use device::Device;
pub use early_stop::{EarlyStop, Monitor};
pub use precision::Precision;
pub use rules::Rules;
pub use settings::{Settings, canonical, hash};

use std::marker::PhantomData;

use crate::data::Dataset;
use crate::error::Result;
use crate::loss::AnyLoss;
use crate::metric::AnyMetric;
use crate::model::Model;
use crate::optim::{AnyClip, AnyOptimizer};
use crate::schedule::AnyPhase;
use crate::shape::{Fits, InputKind, Kind, OutputKind};

/// The keys of [`train!`](crate::train!).
///
/// Keys stand in any order. `model` and `data` are required; the others have the defaults given here.
pub struct Spec<M: Model, D: Dataset> {
    /// The network: a function under `#[model]`, with its const generics if it has any. Required.
    pub model: Declared<M>,
    /// What to learn from: an expression that gives a [`Dataset`] or a `Result` of one, evaluated when the
    /// program starts. Required.
    pub data: Option<fn() -> Result<D>>,
    /// What to minimize: a [`Loss`](crate::loss::Loss). Default: [`CrossEntropy`](crate::loss::CrossEntropy)
    /// for classes and tokens, [`MeanSquaredError`](crate::loss::MeanSquaredError) for values.
    pub loss: Option<&'static dyn AnyLoss<M::Output, D::Target>>,
    /// What to report beside the loss: a list of [`Metric`](crate::metric::Metric)s. Default: none.
    pub metrics: Option<&'static [&'static dyn AnyMetric<M::Output, D::Target>]>,
    /// Samples in a micro-batch, at least 1. Default: 32.
    pub batch: Option<&'static usize>,
    /// Micro-batches in an optimizer step, at least 1. Default: 1.
    pub accumulate: Option<&'static usize>,
    /// Passes over the training data, at least 1. Default: 10, unless `steps` is given.
    pub epochs: Option<&'static u64>,
    /// Optimizer steps, at least 1, instead of `epochs`.
    pub steps: Option<&'static u64>,
    /// What all random numbers come from. Default: 0.
    pub seed: Option<&'static u64>,
    /// The update rule: an [`Optimizer`](crate::optim::Optimizer). Default: [`AdamW`](crate::optim::AdamW).
    pub optimizer: Option<&'static dyn AnyOptimizer>,
    /// The learning rate over time: a list of [`Phase`](crate::schedule::Phase)s. Default:
    /// [`Constant`](crate::schedule::Constant).
    pub schedule: Option<&'static [&'static dyn AnyPhase]>,
    /// A bound for the gradients: a [`Clip`](crate::optim::Clip). Default: none.
    pub clip: Option<&'static dyn AnyClip>,
    /// The type of the computation. Default: [`Precision::F32`].
    pub precision: Option<&'static Precision>,
    /// When to stop early. Default: never.
    pub early_stop: Option<&'static EarlyStop>,
    /// When to save the state of the run. Default: only the model at the end.
    pub checkpoint: Option<&'static Checkpoint>,
    /// Where to compute. Default: [`Device::Cpu`].
    pub device: Option<&'static Device>,
}

impl<M: Model, D: Dataset> Spec<M, D> {
    /// No key given.
    pub const DEFAULT: Self = Self {
        model: Declared::OPEN,
        data: None,
        loss: None,
        metrics: None,
        batch: None,
        accumulate: None,
        epochs: None,
        steps: None,
        seed: None,
        optimizer: None,
        schedule: None,
        clip: None,
        precision: None,
        early_stop: None,
        checkpoint: None,
        device: None,
    };
}

/// The model of a spec: a type, for which no value is needed.
pub struct Declared<M>(PhantomData<fn() -> M>);

impl<M> Declared<M> {
    const OPEN: Self = Self(PhantomData);
}

impl<M: Model> Declared<M>
where
    M::Input: InputKind,
    M::Output: OutputKind,
{
    /// A model that can be trained.
    pub const NEW: Self = Self::OPEN;
}

/// The data of a spec for model `M`.
pub const fn data_of<M: Model, D: Dataset>(open: fn() -> Result<D>) -> Option<fn() -> Result<D>>
where
    D::Input: Fits<M::Input> + Kind,
{
    Some(open)
}
