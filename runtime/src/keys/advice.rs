//! The names of advice, for the key `allow`, and the advice itself.

use serde::{Deserialize, Serialize};

/// The name of a piece of advice, for the key `allow`.
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
    /// Dropout of half or more of a convolution's values.
    ConvolutionDropout,
    /// A bias before a batch norm, which cancels it.
    BatchNormBias,
    /// A batch norm over less than 8 samples.
    SmallBatchNorm,
    /// A batch norm over less than 16 samples, in steps of several micro-batches.
    AccumulatedBatchNorm,
    /// Dropout before a batch norm.
    DropoutBeforeBatchNorm,
    /// Two consecutive norms.
    NormTwice,
    /// Two consecutive activations.
    ActivationTwice,
    /// Two consecutive linear layers without a nonlinearity between them.
    LinearTwice,
    /// Consecutive weights that are initialized to one constant.
    SymmetricWeights,
    /// Initial weights with which the signal of the input vanishes before a deep layer.
    VanishingSignal,
    /// Over 20 consecutive layers without a norm or a sum.
    DeepPlainStack,
    /// Attention to the tokens that are to be predicted.
    LooksAhead,
    /// [`Relu`](crate::layer::Relu) as the last layer.
    ReluOutput,
    /// A learning rate above the usual range of the optimizer.
    HighRate,
    /// A learning rate below the usual range of the optimizer.
    LowRate,
    /// Clipping before an optimizer that only uses the signs of gradients.
    ClipWithoutEffect,
    /// Decay of biases and norms by `decay: All`.
    DecayEverywhere,
    /// Self-attention with Adam or a variant of it, without warmup.
    AttentionWithoutWarmup,
    /// An optimizer step of 8,192 samples or more, without warmup.
    LargeBatchWithoutWarmup,
    /// `scale_lr` for an optimizer step of more than 8,192 samples.
    LargeScaledRate,
    /// A recurrent layer whose gradients are not clipped.
    RecurrentWithoutClip,
    /// Early stopping that cannot stop the run.
    LongPatience,
    /// Early stopping before the plateau phase lowers the learning rate.
    StopBeforePlateau,
    /// An average of the weights that is longer than the run.
    LongAverage,
    /// A checkpoint interval that is longer than the run.
    LongCheckpointInterval,
    /// Inputs that are far from mean 0 and standard deviation 1.
    UnscaledInputs,
    /// Columns of a file that lose more than half of their distinct values in f32.
    RoundedColumns,
    /// Features that are constant over all training samples.
    ConstantFeatures,
    /// A class without training samples, or with less than a tenth of those of another.
    ClassImbalance,
    /// Validation or test samples whose input is in the training split.
    SharedSamples,
    /// Training samples that come after validation or test samples, in a time series.
    ShuffledSeries,
    /// Images whose channels seem to be the last axis.
    ChannelsLast,
    /// Targets of 0 and 1 with a regression loss.
    ClassesAsValues,
    /// An initial loss far above that of uninformative outputs.
    HighFirstLoss,
    /// A model whose output for one sample depends on the others of the batch.
    SamplesMix,
    /// Kernels that the compiler did not optimize.
    UnoptimizedKernels,
}

/// A piece of advice for a run.
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
    /// The source.
    pub reference: &'static str,
}
