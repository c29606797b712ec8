//! The spec: the declared run.
//!
//! `train!` builds a [`Spec`], a constant made of the user's own values. [`TrainConfig`] is the same
//! at run time: it contains every default, and the command line can change it.

mod bound;
pub(crate) mod check;
mod checkpoint;
mod declaration;
mod device;
mod early_stop;
mod init_from;
mod loss_scale;
mod non_finite;
mod precision;
mod schedule;
mod serde_message;
mod train_config;
pub(crate) mod value;

pub use crate::keys::Monitor;
pub use crate::loss::BoundLoss;
pub use bound::BoundMetric;
pub use check::Rules;
pub use checkpoint::Checkpoint;
pub(crate) use declaration::AnySpec;
pub use declaration::Declaration;
pub use device::Device;
pub use early_stop::EarlyStop;
pub use init_from::{AnyInitFrom, InitFrom, Rename};
pub use loss_scale::{Dynamic, LossScale, Static};
pub use non_finite::{OnNonFinite, Skip, Stop};
pub use precision::{AnyPrecision, Bf16, F16, F32, Precision};
pub(crate) use schedule::{at_largest, scaled_in_vain};
pub use train_config::{TrainConfig, canonical, hash};

use std::marker::PhantomData;

use crate::config::Config;
use crate::data::mix::{AnyMix, Unmixed};
use crate::data::{AnyDataset, Dataset, IntoDataset};
use crate::error::Result;
use crate::graph::Graph;
use crate::keys::Advice;
use crate::layer::Initializer;
use crate::loss::TargetKinds;
use crate::loss::{AnyLoss, Suggested};
use crate::metric::AnyMetric;
use crate::model::Fits;
use crate::model::Model;
use crate::optim::{
    AdamW, AnyClip, AnyConstraint, AnyOptimizer, Ema, GradientNoise, Group, NoClip, Unconstrained,
};
use crate::schedule::{AnyPhase, AnyScaleLr, Constant, NoScaling};
use crate::shape::{InputKinds, OutputKinds};

/// The keys of [`train!`](crate::train!).
///
/// Keys can be in any order. `model` and `data` are required; the others have the defaults listed here. `M` is
/// the model, `T` the kind of the data's targets, or a tuple of kinds. Each field is a reference to a constant, so that a whole
/// spec is a constant.
pub struct Spec<M: Model, T: TargetKinds> {
    /// The network: a function under `#[model]`, with its const generics if it has any. Required.
    pub model: Declared<M>,
    /// The training data: an expression that returns a [`Dataset`] or a `Result` of one, evaluated when the
    /// program starts. Required.
    pub data: Source<T>,
    /// The loss to minimize: a [`Loss`](crate::loss::Loss). Default: [`CrossEntropy`](struct@crate::loss::CrossEntropy)
    /// for classes and tokens, [`MeanSquaredError`](struct@crate::loss::MeanSquaredError) for values. For a model with several
    /// outputs a tuple with one loss for each: `(CrossEntropy, MeanSquaredError)`.
    pub loss: &'static dyn AnyLoss<M::Output, T>,
    /// The weight of each output's loss in the sum that is minimized, at least 0: a list with one number for each. Only for
    /// models with several outputs. Default: 1 for each.
    pub loss_weights: &'static [&'static f64],
    /// Metrics to report next to the loss: a list of [`Metric`](crate::metric::Metric)s; for a model with several outputs a
    /// tuple with one list for each: `([Accuracy], [R2])`. Default: none.
    pub metrics: &'static [&'static dyn AnyMetric<M::Output, T>],
    /// Samples in a micro-batch, at least 1. Default: 32.
    pub batch: &'static usize,
    /// Micro-batches in an optimizer step, at least 1. Default: 1.
    pub accumulate: &'static usize,
    /// Whether an epoch drops the samples at its end that do not fill a micro-batch; which samples are dropped depends on the
    /// epoch's order. Default: false.
    pub drop_last: &'static bool,
    /// Passes over the training data, at least 1. Default: 10, unless `steps` is set.
    pub epochs: &'static u64,
    /// Optimizer steps, at least 1, instead of `epochs`.
    pub steps: &'static u64,
    /// The seed of all random numbers. Default: 0.
    pub seed: &'static u64,
    /// The initialization of the weights of all layers without an `init` of their own. Default: [`Initializer::Default`], the
    /// default of each layer, as in PyTorch.
    pub init: &'static Initializer,
    /// A safetensors file to initialize the parameters from, of this crate or another program: `"file.safetensors"` or an
    /// [`InitFrom`]. Default: none.
    pub init_from: &'static dyn AnyInitFrom,
    /// The update rule: an [`Optimizer`](crate::optim::Optimizer). Default: [`AdamW`](struct@AdamW).
    pub optimizer: &'static dyn AnyOptimizer,
    /// Parameters with their own learning rate and decay, or frozen: a list of [`Group`]s. Default: none.
    pub groups: &'static [&'static Group],
    /// The learning rate over time: a list of [`Phase`](crate::schedule::Phase)s. Default: [`Constant`](struct@Constant).
    pub schedule: &'static [&'static dyn AnyPhase],
    /// How `lr` is scaled to the samples in an optimizer step: a [`ScaleLr`](crate::schedule::ScaleLr). Default:
    /// [`NoScaling`](struct@NoScaling).
    pub scale_lr: &'static dyn AnyScaleLr,
    /// Gradient clipping: a [`Clip`](crate::optim::Clip). Default: [`NoClip`](struct@NoClip).
    pub clip: &'static dyn AnyClip,
    /// Noise to add to the gradients. Default: [`GradientNoise::NONE`].
    pub gradient_noise: &'static GradientNoise,
    /// How the samples of a training batch are mixed: a [`Mix`](crate::data::mix::Mix). Default:
    /// [`Unmixed`](struct@Unmixed).
    pub mix: &'static dyn AnyMix,
    /// Whether to record the norm of each parameter's gradient at each step, next to the global norm. Default:
    /// false.
    pub gradient_norms: &'static bool,
    /// A constraint on the weights: a [`Constraint`](crate::optim::Constraint). Default:
    /// [`Unconstrained`](struct@Unconstrained).
    pub constrain: &'static dyn AnyConstraint,
    /// A moving average of the weights, which evaluations use. Default: [`Ema::NONE`].
    pub ema: &'static Ema,
    /// The type of the computation: an [`AnyPrecision`]. Default: [`F32`](struct@F32).
    pub precision: &'static dyn AnyPrecision,
    /// What to do at a step with gradients that are not finite, except in f16, which skips it. Default: [`Stop`].
    pub on_non_finite: &'static OnNonFinite,
    /// When to stop early. Default: [`EarlyStop::NEVER`].
    pub early_stop: &'static EarlyStop,
    /// When to save the state of the run. Default: [`Checkpoint::NEVER`]; the model is saved at the end.
    pub checkpoint: &'static Checkpoint,
    /// Advice to silence: a list of names, such as `[Advice::SmallBatchNorm]`. Default: none; see
    /// [`advice`](crate::advice).
    pub allow: &'static [&'static Advice],
    /// Where to compute. Default: [`Device::Cpu`].
    pub device: &'static Device,
}

/// A length that is not set.
pub(crate) const NOT_GIVEN: u64 = u64::MAX;

impl<M: Model, T: TargetKinds> Spec<M, T> {
    /// No key set.
    pub const DEFAULT: Self = Self {
        model: Declared { graph: None, model: PhantomData },
        data: Source { text: "", open: None },
        loss: &Suggested {},
        loss_weights: &[],
        metrics: &[],
        batch: &32,
        accumulate: &1,
        drop_last: &false,
        epochs: &NOT_GIVEN,
        steps: &NOT_GIVEN,
        seed: &0,
        init: &Initializer::Default,
        init_from: &init_from::Drawn,
        optimizer: &AdamW::DEFAULT,
        groups: &[],
        schedule: &[&Constant],
        scale_lr: &NoScaling,
        clip: &NoClip,
        gradient_noise: &GradientNoise::NONE,
        mix: &Unmixed,
        gradient_norms: &false,
        constrain: &Unconstrained,
        ema: &Ema::NONE,
        precision: &F32,
        on_non_finite: &Stop,
        early_stop: &EarlyStop::NEVER,
        checkpoint: &Checkpoint::NEVER,
        allow: &[],
        device: &Device::Cpu,
    };
}

/// The model of a spec: a type, and how to build its graph.
pub struct Declared<M> {
    pub(crate) graph: Option<fn() -> Result<Graph>>,
    model: PhantomData<fn() -> M>,
}

/// A model that can be trained: its input is a data kind, and a loss accepts its output.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be used in `train!`",
    label = "expected a model with inputs of data kinds and outputs that a loss accepts",
    note = "an input is `Image<C, H, W>`, `Features<N>` or `Tokens<V, T>`",
    note = "an output is `Logits<C>` (also where the target is `Class<C>` or `Labels<C>`), `Values<N>`, `TokenLogits<V>` or \
            `LogProbabilities<C>`"
)]
pub trait Trainable: Model {
    /// [`Model::graph`]
    ///
    /// # Errors
    /// If a check of the model fails.
    fn build_graph() -> Result<Graph>;
}

#[diagnostic::do_not_recommend]
impl<M: Model> Trainable for M
where
    M::Input: InputKinds,
    M::Output: OutputKinds,
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
pub const fn data_of<T: TargetKinds>(open: fn() -> Result<Opened<T>>, text: &'static str) -> Source<T> {
    Source { text, open: Some(open) }
}
