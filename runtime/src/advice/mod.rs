//! Advice: choices that are allowed and doubtful.
//!
//! A mistake is an error. Advice is about what often, but not always, is one: the program says what it found, why it
//! matters, and what to write instead, and goes on. It is shown by the command `check` and at the head of a run; the key
//! `allow` of [`train!`](crate::train!) silences it by name: `allow: [Advice::SmallBatchNorm]`.
//!
//! One table, `RULES` in `table.rs`, has every rule with its sentences; the files beside it have what each looks for. They
//! ask for what a layer or an optimizer is ([`Nature`](crate::layer::Nature), [`StepSize`](crate::optim::StepSize)), not for
//! its name, so that they speak of a user's own too.

mod batch;
mod chain;
mod data;
mod depth;
mod first;
mod model;
mod optimizer;
mod rate;
mod regularization;
mod stopping;
mod table;

use serde::{Deserialize, Serialize};

use self::table::RULES;
use crate::data::Prepared;
use crate::graph::Graph;
use crate::spec::Settings;
use crate::train::RunPlan;

/// The name of an advice, for the key `allow`.
///
/// ```
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Net(image: Image<1, 8, 8>) -> Logits<10> {
///     image.conv2d(out = 8, kernel = 3).batch_norm().relu().flatten().linear(out = 10)
/// }
///
/// train! {
///     Digits { model: Net, data: Digits8x8::embedded(), allow: [Advice::BatchNormBias] }
/// }
///
/// assert!(Digits::training().check()?.advice.is_empty());
/// # Ok::<(), trainspec::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Advice {
    /// Over 10,000 weights, no decay, and nothing else that regularizes.
    NoWeightDecay,
    /// `l2` with an optimizer that divides by the second moment.
    L2WithAdam,
    /// Dropout of a half or more of a convolution's values.
    ConvolutionDropout,
    /// A bias before a batch norm, which takes it away again.
    BatchNormBias,
    /// A batch norm over less than 8 samples.
    SmallBatchNorm,
    /// A batch norm over less than 16 samples, in steps of several micro-batches.
    AccumulatedBatchNorm,
    /// Dropout before a batch norm.
    DropoutBeforeBatchNorm,
    /// Two norms behind each other.
    NormTwice,
    /// Two activations behind each other.
    ActivationTwice,
    /// Two layers without anything between them that is not straight.
    LinearTwice,
    /// Weights behind each other that begin as one constant.
    SymmetricWeights,
    /// Initial weights under which nothing of the input reaches a deep layer.
    VanishingSignal,
    /// Over 20 layers behind each other without a norm or a sum.
    DeepPlainStack,
    /// Attention to the tokens that are to be foretold.
    LooksAhead,
    /// [`Relu`](crate::layer::Relu) as the last layer.
    ReluOutput,
    /// A learning rate above what is usual for the optimizer.
    HighRate,
    /// A learning rate below what is usual for the optimizer.
    LowRate,
    /// Clipping before an optimizer that goes by signs alone.
    ClipWithoutEffect,
    /// Decay of biases and norms by `decay: All`.
    DecayEverywhere,
    /// Self-attention under Adam or a relative of it, without warm-up.
    AttentionWithoutWarmup,
    /// An optimizer step of 8,192 samples or more, without warm-up.
    LargeBatchWithoutWarmup,
    /// `scale_lr` for an optimizer step of more than 8,192 samples.
    LargeScaledRate,
    /// A recurrent layer whose gradients are not clipped.
    RecurrentWithoutClip,
    /// Early stopping that cannot stop the run.
    LongPatience,
    /// Early stopping before the plateau phase lowers the rate.
    StopBeforePlateau,
    /// An average of the weights that reaches back beyond the run.
    LongAverage,
    /// Inputs that are far from mean 0 and deviation 1.
    UnscaledInputs,
    /// Columns of a file that lose more than half of their distinct values in f32.
    RoundedColumns,
    /// Features that have one value in all training samples.
    ConstantFeatures,
    /// A class that has no training samples, or less than a tenth of those of another.
    ClassImbalance,
    /// Samples to validate or test with whose input was learned from.
    SharedSamples,
    /// Samples to learn from that come after others to validate or test with, in a time series.
    ShuffledSeries,
    /// Images whose channels seem to be the last axis.
    ChannelsLast,
    /// Targets of 0 and 1 under a loss of values.
    ClassesAsValues,
    /// A loss before the first step far above that of outputs that say nothing.
    HighFirstLoss,
    /// A model whose output for one sample depends on the others of the batch.
    SamplesMix,
}

/// One advice to one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its name.
    pub advice: Advice,
    /// What was found: `5,000 weights…`.
    pub found: String,
    /// Why it matters.
    pub why: &'static str,
    /// What to write instead.
    pub instead: &'static str,
    /// Who says so.
    pub reference: &'static str,
}

/// What is known of a run before its first step.
pub(crate) struct Facts<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) settings: &'a Settings,
    pub(crate) data: &'a Prepared,
    pub(crate) plan: &'a RunPlan,
    /// What the model gave before its first step, where that was looked at.
    pub(crate) first: Option<&'a FirstLook>,
}

/// What a model gives before its first step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstLook {
    /// Its loss, and what that is compared with; none where there is nothing to compare it with.
    pub(crate) loss: Option<FirstLoss>,
    /// Whether what it gives for one sample in evaluation changes with another one of the batch.
    pub(crate) mixes: bool,
}

/// A loss before the first step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstLoss {
    pub(crate) loss: f64,
    /// Of outputs that say nothing.
    pub(crate) baseline: f64,
    /// Whether the targets are classes or tokens, and these outputs are all alike; else they are the targets' mean.
    pub(crate) of_classes: bool,
}

/// A rule: what it looks for, and its sentences.
struct Rule {
    advice: Advice,
    find: fn(&Facts<'_>) -> Option<String>,
    why: &'static str,
    instead: &'static str,
    reference: &'static str,
}

/// Every advice to a run but that which it allows.
pub(crate) fn advice(facts: &Facts<'_>) -> Vec<Finding> {
    let allowed = &facts.settings.allow;
    let rules = RULES.iter().filter(|rule| !allowed.contains(&rule.advice));
    let finding = |rule: &Rule| {
        let &Rule { advice, why, instead, reference, .. } = rule;
        (rule.find)(facts).map(|found| Finding { advice, found, why, instead, reference })
    };
    rules.filter_map(finding).collect()
}
