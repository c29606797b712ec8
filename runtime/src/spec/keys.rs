//! The keys of `train!`: one table, from which the spec, its defaults and the run-time configuration follow.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::bound::bound;
use super::check::given;
use super::init_from::Drawn;
use super::key::Key;
use super::key::Losses;
use super::train_config::losses_of;
use super::{
    AnyInitFrom, AnyPrecision, BoundMetric, Checkpoint, Declared, Device, EarlyStop, F32, InitFrom,
    ModelKeys, OnNonFinite, Precision, Source, Stop,
};
use crate::config::Config;
use crate::data::augment::AnyAugment;
use crate::data::mix::{AnyMix, Unmixed};
use crate::data::sampler::{AnySampler, Shuffled};
use crate::error::Result;
use crate::keys::Advice;
use crate::layer::Initializer;
use crate::loss::{AnyLoss, Suggested, TargetKinds};
use crate::metric::AnyMetric;
use crate::model::Model;
use crate::optim::{
    AdamW, AnyAverage, AnyClip, AnyConstraint, AnyOptimizer, Average, Ema, GradientNoise, Group, NoClip,
    Unconstrained,
};
use crate::schedule::{AnyPhase, AnyScaleLr, Constant, NoScaling};

/// A length that is not set. A key is a reference to a value, so that a wrong one is reported as ``expected `&u64` ``; a reference to an
/// `Option` would not take a number.
pub(crate) const NOT_GIVEN: u64 = u64::MAX;

/// Each row has the documentation of a key, its type in a spec, its default, its type at run time, and how that is made of the value in the spec.
/// [`Key`] reads and writes it as JSON.
macro_rules! keys {
    ($(
        $(#[doc = $doc:literal])+
        $key:ident: $given:ty = $default:expr;
        |$value:ident| -> $stored:ty { $of:expr }
    )+) => {
        /// The keys of [`train!`](crate::train!).
        ///
        /// Keys can be in any order. `model` and `data` are required; the others have the defaults listed here. `M` is
        /// the model, `T` the kind of the data's targets, or a tuple of kinds. Each field is a reference to a constant, so that a whole
        /// spec is a constant.
        pub struct Spec<M: Model, T: TargetKinds> {
            /// The network: a function under `#[model]`, with its const generics if it has any, and its keys in braces: `Net`,
            /// `CharGpt<4>`, `Net { dropout: 0.2, depth: 4 }`. Required.
            pub model: Declared<M>,
            /// The training data: an expression that returns a [`Dataset`](crate::Dataset) or a `Result` of one, evaluated when the
            /// program starts. Required.
            pub data: Source<T>,
            $($(#[doc = $doc])+ pub $key: &'static $given,)+
        }

        impl<M: Model, T: TargetKinds> Spec<M, T> {
            /// No key set.
            pub const DEFAULT: Self = Self {
                model: Declared { model: None, inputs: &[] },
                data: Source { text: "", open: None },
                $($key: &$default,)+
            };
        }

        /// Every key of a run with its value. `None` is a key that is not set: one of `epochs` and `steps`, or a part that the run
        /// does without; for `on_non_finite` it is [`Stop`].
        pub struct TrainConfig {
            $(#[doc = concat!("[`Spec::", stringify!($key), "`]")] pub $key: $stored,)+
            /// [`Spec::model`]
            pub(crate) model: ModelKeys,
            /// The names of the model's outputs; none if it has one.
            pub outputs: &'static [&'static str],
        }

        impl TrainConfig {
            /// The values of a spec, before defaults that depend on other keys.
            pub(super) fn as_given<M: Model, T: TargetKinds>(spec: &Spec<M, T>) -> Result<Self> {
                Ok(Self { $($key: { let $value = spec.$key; $of },)+ model: spec.model.keys()?, outputs: M::OUTPUTS })
            }

            /// The settings as canonical JSON: every key, in alphabetical order; `model` is there if the model has keys, `augment` if there are
            /// rules, and `sampler` if it is not the default, as in specs from before there were such keys.
            #[must_use]
            pub fn to_json(&self) -> Value {
                let mut keys = self.every_key();
                if let Some(keys) = keys.as_object_mut() {
                    if self.augment.is_empty() {
                        keys.remove("augment");
                    }
                    if self.sampler.name() == Shuffled::NAME {
                        keys.remove("sampler");
                    }
                }
                keys
            }

            /// Every key that can be set, as JSON.
            pub(crate) fn every_key(&self) -> Value {
                let mut keys = BTreeMap::from([$((stringify!($key), self.$key.write()),)+]);
                if let Some(model) = self.model.write() {
                    keys.insert("model", model);
                }
                if self.loss.len() == 1 {
                    // A model with one output has no such key.
                    keys.remove("loss_weights");
                }
                json!(keys)
            }

            /// Reads one top-level key back from JSON.
            pub(super) fn take(&mut self, key: &str, json: &Value) -> Result<(), String> {
                match key {
                    "model" => self.model = self.model.read(json)?,
                    $(stringify!($key) => self.$key = self.$key.read(json)?,)+
                    _ => return Err("unknown key".to_owned()),
                }
                // A run has one length.
                match key {
                    "epochs" => self.steps = None,
                    "steps" => self.epochs = None,
                    _ => {}
                }
                Ok(())
            }
        }
    };
}

keys! {
    /// The loss to minimize: a [`Loss`](crate::loss::Loss). Default: [`CrossEntropy`](struct@crate::loss::CrossEntropy)
    /// for classes and tokens, [`MeanSquaredError`](struct@crate::loss::MeanSquaredError) for values. For a model with several
    /// outputs a tuple with one loss for each: `(CrossEntropy, MeanSquaredError)`.
    loss: dyn AnyLoss<M::Output, T> = Suggested {};
    |value| -> Losses { losses_of::<M, T>(value)?.into() }

    /// The weight of each output's loss in the sum that is minimized, at least 0: a list with one number for each. Only for
    /// models with several outputs. Default: 1 for each.
    loss_weights: [&'static f64] = [];
    |value| -> Vec<f64> { value.iter().map(|&&weight| weight).collect() }

    /// Metrics to report next to the loss: a list of [`Metric`](crate::metric::Metric)s; for a model with several outputs a
    /// tuple with one list for each: `([Accuracy], [R2])`. Default: none.
    metrics: [&'static dyn AnyMetric<M::Output, T>] = [];
    |value| -> Vec<Box<dyn BoundMetric>> { value.iter().map(|&metric| bound(metric, M::OUTPUTS)).collect() }

    /// Samples in a micro-batch, at least 1. Default: 32.
    batch: usize = 32;
    |value| -> usize { *value }

    /// Micro-batches in an optimizer step, at least 1. Default: 1.
    accumulate: usize = 1;
    |value| -> usize { *value }

    /// Whether an epoch drops the samples at its end that do not fill a micro-batch; which samples are dropped depends on the
    /// epoch's order. Default: false.
    drop_last: bool = false;
    |value| -> bool { *value }

    /// Passes over the training data, at least 1. Default: 10, unless `steps` is set.
    epochs: u64 = NOT_GIVEN;
    |value| -> Option<u64> { given(*value) }

    /// Optimizer steps, at least 1, instead of `epochs`.
    steps: u64 = NOT_GIVEN;
    |value| -> Option<u64> { given(*value) }

    /// The seed of all random numbers. Default: 0.
    seed: u64 = 0;
    |value| -> u64 { *value }

    /// The initialization of the weights of all layers without an `init` of their own. Default: [`Initializer::Default`], the
    /// default of each layer, as in PyTorch.
    init: Initializer = Initializer::Default;
    |value| -> Initializer { *value }

    /// A safetensors file to initialize the parameters from, of this crate or another program: `"file.safetensors"` or an
    /// [`InitFrom`]. Default: none.
    init_from: dyn AnyInitFrom = Drawn;
    |value| -> Option<InitFrom> { value.value() }

    /// The update rule: an [`Optimizer`](crate::optim::Optimizer). Default: [`AdamW`](struct@AdamW).
    optimizer: dyn AnyOptimizer = AdamW::DEFAULT;
    |value| -> Box<dyn AnyOptimizer> { value.boxed() }

    /// Parameters with their own learning rate and decay, or frozen: a list of [`Group`]s. Default: none.
    groups: [&'static Group] = [];
    |value| -> Vec<Group> { value.iter().map(|&&group| group).collect() }

    /// The learning rate over time: a list of [`Phase`](crate::schedule::Phase)s. Default: [`Constant`](struct@Constant).
    schedule: [&'static dyn AnyPhase] = [&Constant];
    |value| -> Vec<Box<dyn AnyPhase>> { value.iter().map(|phase| phase.boxed()).collect() }

    /// How `lr` is scaled to the samples in an optimizer step: a [`ScaleLr`](crate::schedule::ScaleLr). Default:
    /// [`NoScaling`](struct@NoScaling).
    scale_lr: dyn AnyScaleLr = NoScaling;
    |value| -> Box<dyn AnyScaleLr> { value.boxed() }

    /// Gradient clipping: a [`Clip`](crate::optim::Clip). Default: [`NoClip`](struct@NoClip).
    clip: dyn AnyClip = NoClip;
    |value| -> Box<dyn AnyClip> { value.boxed() }

    /// Noise to add to the gradients. Default: [`GradientNoise::NONE`].
    gradient_noise: GradientNoise = GradientNoise::NONE;
    |value| -> Option<GradientNoise> { Some(*value).filter(|noise| *noise != GradientNoise::NONE) }

    /// Random changes of the training samples, in order: a list of [`Augment`](crate::data::augment::Augment)s; for a model with several
    /// inputs a tuple with one list for each: `([FlipHorizontal], [])`. Default: none.
    augment: [&'static dyn AnyAugment] = [];
    |value| -> Vec<Box<dyn AnyAugment>> { value.iter().map(|rule| rule.boxed()).collect() }

    /// Which training samples an epoch draws: a [`Sampler`](crate::data::sampler::Sampler). Default:
    /// [`Shuffled`](struct@Shuffled), each once.
    sampler: dyn AnySampler = Shuffled;
    |value| -> Box<dyn AnySampler> { value.boxed() }

    /// How the samples of a training batch are mixed: a [`Mix`](crate::data::mix::Mix). Default:
    /// [`Unmixed`](struct@Unmixed).
    mix: dyn AnyMix = Unmixed;
    |value| -> Box<dyn AnyMix> { value.boxed() }

    /// Whether to record the norm of each parameter's gradient at each step, next to the global norm. Default:
    /// false.
    gradient_norms: bool = false;
    |value| -> bool { *value }

    /// A constraint on the weights: a [`Constraint`](crate::optim::Constraint). Default:
    /// [`Unconstrained`](struct@Unconstrained).
    constrain: dyn AnyConstraint = Unconstrained;
    |value| -> Box<dyn AnyConstraint> { value.boxed() }

    /// An average of the weights, which evaluations use: an [`AnyAverage`]. Default: [`Ema::NONE`].
    ema: dyn AnyAverage = Ema::NONE;
    |value| -> Option<Average> { value.average() }

    /// The type of the computation: an [`AnyPrecision`]. Default: [`F32`](struct@F32).
    precision: dyn AnyPrecision = F32;
    |value| -> Precision { value.precision() }

    /// What to do at a step with gradients that are not finite, except in f16, which skips it. Default: [`Stop`].
    on_non_finite: OnNonFinite = Stop;
    |value| -> Option<OnNonFinite> { Some(*value).filter(|rule| *rule != Stop) }

    /// When to stop early. Default: [`EarlyStop::NEVER`].
    early_stop: EarlyStop = EarlyStop::NEVER;
    |value| -> Option<EarlyStop> { Some(*value).filter(|stop| *stop != EarlyStop::NEVER) }

    /// When to save the state of the run. Default: [`Checkpoint::NEVER`]; the model is saved at the end.
    checkpoint: Checkpoint = Checkpoint::NEVER;
    |value| -> Option<Checkpoint> { Some(*value).filter(|checkpoint| *checkpoint != Checkpoint::NEVER) }

    /// Advice to silence: a list of names, such as `[Advice::SmallBatchNorm]`. Default: none; see
    /// [`advice`](crate::advice).
    allow: [&'static Advice] = [];
    |value| -> BTreeSet<Advice> { value.iter().map(|&&advice| advice).collect() }

    /// Where to compute. Default: [`Device::Cpu`].
    device: Device = Device::Cpu;
    |value| -> Device { *value }
}
