//! The spec: what was declared.
//!
//! [`Spec`] is what `train!` fills in, a constant made of the user's own values. [`Settings`] is the same
//! when the program runs: every default spelled out, and open to changes from the command line.

mod bound;
mod checkpoint;
mod declaration;
mod device;
mod early_stop;
mod loss_scale;
mod non_finite;
mod precision;
mod rules;
mod settings;

pub use bound::{BoundLoss, BoundMetric};
pub use checkpoint::Checkpoint;
pub(crate) use declaration::AnySpec;
pub use declaration::Declaration;
pub use device::Device;
pub use early_stop::{EarlyStop, Monitor};
pub use loss_scale::{Dynamic, LossScale, Static};
pub use non_finite::{OnNonFinite, Skip, Stop};
pub use precision::{AnyPrecision, Bf16, F16, F32, Precision};
pub use rules::Rules;
pub use settings::{Settings, canonical, hash};

use std::marker::PhantomData;

use crate::config::Config;
use crate::data::{AnyDataset, Dataset, IntoDataset};
use crate::error::Result;
use crate::graph::Graph;
use crate::loss::{AnyLoss, Suggested};
use crate::metric::AnyMetric;
use crate::model::Model;
use crate::optim::{AdamW, AnyClip, AnyOptimizer, NoClip};
use crate::schedule::{AnyPhase, Constant};
use crate::shape::{Fits, InputKind, Kind, OutputKind};

/// The keys of [`train!`](crate::train!).
///
/// Keys stand in any order. `model` and `data` are required; the others have the defaults given here. `M` is
/// the model, `T` the kind of the data's targets. Each field is a reference to a constant, so that a whole
/// spec is one.
pub struct Spec<M: Model, T: Kind> {
    /// The network: a function under `#[model]`, with its const generics if it has any. Required.
    pub model: Declared<M>,
    /// What to learn from: an expression that gives a [`Dataset`] or a `Result` of one, evaluated when the
    /// program starts. Required.
    pub data: Source<T>,
    /// What to minimize: a [`Loss`](crate::loss::Loss). Default: [`CrossEntropy`](struct@crate::loss::CrossEntropy)
    /// for classes and tokens, [`MeanSquaredError`](struct@crate::loss::MeanSquaredError) for values.
    pub loss: &'static dyn AnyLoss<M::Output, T>,
    /// What to report beside the loss: a list of [`Metric`](crate::metric::Metric)s. Default: none.
    pub metrics: &'static [&'static dyn AnyMetric<M::Output, T>],
    /// Samples in a micro-batch, at least 1. Default: 32.
    pub batch: &'static usize,
    /// Micro-batches in an optimizer step, at least 1. Default: 1.
    pub accumulate: &'static usize,
    /// Passes over the training data, at least 1. Default: 10, unless `steps` is given.
    pub epochs: &'static u64,
    /// Optimizer steps, at least 1, instead of `epochs`.
    pub steps: &'static u64,
    /// What all random numbers come from. Default: 0.
    pub seed: &'static u64,
    /// The update rule: an [`Optimizer`](crate::optim::Optimizer). Default: [`AdamW`].
    pub optimizer: &'static dyn AnyOptimizer,
    /// The learning rate over time: a list of [`Phase`](crate::schedule::Phase)s. Default: [`Constant`](struct@Constant).
    pub schedule: &'static [&'static dyn AnyPhase],
    /// A bound for the gradients: a [`Clip`](crate::optim::Clip). Default: [`NoClip`](struct@NoClip).
    pub clip: &'static dyn AnyClip,
    /// The type of the computation: an [`AnyPrecision`]. Default: [`F32`](struct@F32).
    pub precision: &'static dyn AnyPrecision,
    /// What a step does whose gradients are not finite, but for f16, which skips it. Default: [`Stop`].
    pub on_non_finite: &'static OnNonFinite,
    /// When to stop early. Default: [`EarlyStop::NEVER`].
    pub early_stop: &'static EarlyStop,
    /// When to save the state of the run. Default: [`Checkpoint::NEVER`]; the model is saved at the end.
    pub checkpoint: &'static Checkpoint,
    /// Where to compute. Default: [`Device::Cpu`].
    pub device: &'static Device,
}

/// A length that is not given.
pub(crate) const NOT_GIVEN: u64 = u64::MAX;

impl<M: Model, T: Kind> Spec<M, T> {
    /// No key given.
    pub const DEFAULT: Self = Self {
        model: Declared { graph: None, model: PhantomData },
        data: Source { text: "", open: None },
        loss: &Suggested {},
        metrics: &[],
        batch: &32,
        accumulate: &1,
        epochs: &NOT_GIVEN,
        steps: &NOT_GIVEN,
        seed: &0,
        optimizer: &AdamW::DEFAULT,
        schedule: &[&Constant],
        clip: &NoClip,
        precision: &F32,
        on_non_finite: &Stop,
        early_stop: &EarlyStop::NEVER,
        checkpoint: &Checkpoint::NEVER,
        device: &Device::Cpu,
    };
}

/// The model of a spec: a type, and how to build its graph.
pub struct Declared<M> {
    pub(crate) graph: Option<fn() -> Result<Graph>>,
    model: PhantomData<fn() -> M>,
}

/// A model that can be trained: one that takes data and gives something that a loss can judge.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be trained by itself",
    label = "this model is a part of other models, or takes several values",
    note = "to train it, give it one input of a kind, `Image<C, H, W>`, `Features<N>` or `Tokens<V, T>`, and an \
            output of a kind, `Logits<C>`, `Values<N>` or `TokenLogits<V>`"
)]
pub trait Trainable: Model {
    /// [`Model::graph`]
    ///
    /// # Errors
    /// If a rule of the model does not hold.
    fn build_graph() -> Result<Graph>;
}

#[diagnostic::do_not_recommend]
impl<M: Model> Trainable for M
where
    M::Input: InputKind,
    M::Output: OutputKind,
{
    fn build_graph() -> Result<Graph> {
        M::graph()
    }
}

/// The value of the key `model`.
pub const fn model_of<M: Trainable>() -> Declared<M> {
    Declared { graph: Some(M::build_graph), model: PhantomData }
}

/// The data of a spec: how to open them.
pub struct Source<T> {
    /// The expression, as it is written.
    pub(crate) text: &'static str,
    pub(crate) open: Option<fn() -> Result<Opened<T>>>,
}

/// An opened data set whose targets are of kind `T`.
pub struct Opened<T> {
    pub(crate) data: Box<dyn AnyDataset>,
    target: PhantomData<fn() -> T>,
}

/// Opens the data for model `M`.
///
/// # Errors
/// If they cannot be opened.
pub fn opened<M: Model, R: IntoDataset>(data: R) -> Result<Opened<<R::Data as Dataset>::Target>>
where
    <R::Data as Dataset>::Input: Fits<M::Input>,
{
    Ok(Opened { data: Box::new(data.into_dataset()?), target: PhantomData })
}

/// The value of the key `data`.
pub const fn data_of<T: Kind>(text: &'static str, open: fn() -> Result<Opened<T>>) -> Source<T> {
    Source { text, open: Some(open) }
}
