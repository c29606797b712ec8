//! Advice: choices that are allowed and doubtful.
//!
//! A mistake is an error. Advice is about what often, but not always, is one: the program says what it found, why it
//! matters, and what to write instead, and goes on. It is shown by the command `check` and at the head of a run; the key
//! `allow` of [`train!`](crate::train!) silences it by name: `allow: [Advice::SmallBatchNorm]`.
//!
//! One table, `RULES`, has every rule with its sentences; the files beside it have what each looks for.

mod batch;
mod data;
mod model;
mod rate;
mod regularization;
mod stopping;

use serde::{Deserialize, Serialize};

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
    /// [`Relu`](crate::layer::Relu) as the last layer.
    ReluOutput,
    /// A learning rate above what is usual for the optimizer.
    HighRate,
    /// Self-attention under Adam or a relative of it, without warm-up.
    AttentionWithoutWarmup,
    /// An optimizer step of more than 8,192 samples, without warm-up.
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
    /// Features that have one value in all training samples.
    ConstantFeatures,
    /// A class that has no training samples, or less than a tenth of those of another.
    ClassImbalance,
    /// Samples to validate or test with whose input was learned from.
    SharedSamples,
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

/// For what a count shows and nobody needs to be cited for.
const ARITHMETIC: &str = "arithmetic";

const RULES: &[Rule] = &[
    Rule {
        advice: Advice::NoWeightDecay,
        find: regularization::no_weight_decay,
        why: "so many weights can learn the training samples by heart",
        instead: "`weight_decay` of the optimizer, dropout, `mix`, label smoothing or `early_stop`",
        reference: "Krogh & Hertz 1992",
    },
    Rule {
        advice: Advice::L2WithAdam,
        find: regularization::l2_with_adam,
        why: "the optimizer divides the penalty by the root of the second moment, so that weights with large gradients \
              hardly decay",
        instead: "`AdamW` with `weight_decay`",
        reference: "Loshchilov & Hutter 2019",
    },
    Rule {
        advice: Advice::ConvolutionDropout,
        find: regularization::convolution_dropout,
        why: "neighbouring values of a channel are alike, so that those that stay tell what was dropped: the noise \
              slows learning and regularizes little",
        instead: "dropout behind `flatten` or a pool, `stochastic_depth`, or `p` of 0.1 to 0.2",
        reference: "Tompson et al. 2015; Ghiasi et al. 2018",
    },
    Rule {
        advice: Advice::BatchNormBias,
        find: model::batch_norm_bias,
        why: "the mean that batch norm subtracts has the bias in it: it costs memory and a pass of its own, and never \
              shows",
        instead: "`bias = false`",
        reference: "Ioffe & Szegedy 2015",
    },
    Rule {
        advice: Advice::SmallBatchNorm,
        find: model::small_batch_norm,
        why: "means and variances of so few samples are noise, and those of the evaluation are others",
        instead: "a `batch` of at least 8 with a smaller `accumulate`, or `group_norm`",
        reference: "Wu & He 2018",
    },
    Rule {
        advice: Advice::ReluOutput,
        find: model::relu_output,
        why: "the output is never below 0, and where it is 0 no gradient comes back",
        instead: "a linear layer as the last one",
        reference: "Lu et al. 2019",
    },
    Rule {
        advice: Advice::HighRate,
        find: rate::high_rate,
        why: "training often diverges there, at once or hours later",
        instead: "a lower `lr`; the command `find-lr` suggests one",
        reference: rate::SOURCES,
    },
    Rule {
        advice: Advice::AttentionWithoutWarmup,
        find: rate::attention_without_warmup,
        why: "the first second moments are estimates from few gradients, and attention does not recover from the large \
              steps that they allow",
        instead: "`schedule: [Warmup { steps: … }, …]`, or `RAdam`",
        reference: "Liu et al. 2020; Xiong et al. 2020",
    },
    Rule {
        advice: Advice::LargeBatchWithoutWarmup,
        find: batch::without_warmup,
        why: "the rate that such a batch needs is too high for the first steps",
        instead: "`schedule: [Warmup { epochs: 5 }, …]`",
        reference: "Goyal et al. 2017",
    },
    Rule {
        advice: Advice::LargeScaledRate,
        find: batch::scaled_rate,
        why: "beyond about 8,192 samples the results get worse however the rate is scaled",
        instead: "a smaller `batch` or `accumulate`, or `Lars` or `Lamb`",
        reference: "Goyal et al. 2017",
    },
    Rule {
        advice: Advice::RecurrentWithoutClip,
        find: model::recurrent_without_clip,
        why: "gradients through many places can explode, and one such step undoes the training before it",
        instead: "`clip: GlobalNorm { max: 1.0 }`",
        reference: "Pascanu et al. 2013",
    },
    Rule {
        advice: Advice::LongPatience,
        find: stopping::long_patience,
        why: "the run takes all its steps; of the key only the best weights remain",
        instead: "a smaller `patience`, or more epochs",
        reference: "Prechelt 1998",
    },
    Rule {
        advice: Advice::StopBeforePlateau,
        find: stopping::stop_before_plateau,
        why: "the run ends before a lower rate can help",
        instead: "a `patience` of `early_stop` of at least twice that of the phase",
        reference: ARITHMETIC,
    },
    Rule {
        advice: Advice::LongAverage,
        find: stopping::long_average,
        why: "the average, by which the run is judged, is still made of its first weights",
        instead: "a smaller `decay` or `half_life`, or `warmup: true`",
        reference: "Tarvainen & Valpola 2017",
    },
    Rule {
        advice: Advice::UnscaledInputs,
        find: data::unscaled_inputs,
        why: "initial weights and usual rates are made for inputs of mean 0 and deviation 1",
        instead: "`.with_normalization(Normalization::PerElement)` on the data, `Whole` for images, or a norm as the first \
                  layer",
        reference: "LeCun et al. 1998",
    },
    Rule {
        advice: Advice::ConstantFeatures,
        find: data::constant_features,
        why: "nothing can be learned from them, and a sample with another value meets weights that were never trained",
        instead: "the data without these columns",
        reference: ARITHMETIC,
    },
    Rule {
        advice: Advice::ClassImbalance,
        find: data::class_imbalance,
        why: "a model that never names the rare class has a low loss and a high accuracy",
        instead: "`weights` of the loss, more samples of the rare class, and `F1` among the metrics",
        reference: "Buda et al. 2018",
    },
    Rule {
        advice: Advice::SharedSamples,
        find: data::shared_samples,
        why: "what is measured on them is memory, not generalization",
        instead: "data without the copies, or a split that keeps copies together",
        reference: "Barz & Denzler 2020",
    },
];
