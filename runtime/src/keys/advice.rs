//! The names of advice, for the key `allow`, and what one found.

use serde::{Deserialize, Serialize};

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
/// assert!(Digits::experiment().check()?.advice.is_empty());
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
    /// Checkpoints of which the first would be due after the end of the run.
    LongCheckpointInterval,
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
    /// Kernels that the compiler did not optimize.
    UnoptimizedKernels,
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
