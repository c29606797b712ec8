//! Losses: what training minimizes.
//!
//! | loss | model output | target |
//! | --- | --- | --- |
//! | [`CrossEntropy`](struct@CrossEntropy) | [`Logits`](crate::Logits), [`TokenLogits`](crate::TokenLogits), [`LogitMap`](crate::LogitMap) | [`Class`](crate::Class), [`Tokens`](crate::Tokens), [`ClassMap`](crate::ClassMap) |
//! | [`MeanSquaredError`](struct@MeanSquaredError) | [`Values`](crate::Values) | [`Values`](crate::Values) |
//! | [`MeanAbsoluteError`](struct@MeanAbsoluteError) | `Values` | `Values` |
//! | [`Huber`](struct@Huber), [`SmoothL1`](struct@SmoothL1) | `Values` | `Values` |
//! | [`BinaryCrossEntropy`](struct@BinaryCrossEntropy) | `Logits<N>`; `Logits<1>` | [`Labels<N>`](crate::Labels); `Class<2>` |
//! | [`Hinge`](struct@Hinge) | `Logits<C>`; `Logits<1>` | `Class<C>`; `Class<2>` |
//! | [`NegativeLogLikelihood`](struct@NegativeLogLikelihood) | [`LogProbabilities`](crate::LogProbabilities) | `Class` |
//! | [`KlDivergence`](struct@KlDivergence) | `LogProbabilities` | [`Probabilities`](crate::Probabilities) |
//! | [`Focal`](struct@Focal) | `Logits`, `TokenLogits`, `LogitMap` | `Class`, `Tokens`, `ClassMap` |
//! | [`BinaryFocal`](struct@BinaryFocal) | `Logits<N>`; `Logits<1>` | `Labels<N>`; `Class<2>` |
//! | [`Dice`](struct@Dice) | `Logits<N>`, `LogitMap` | `Labels<N>`, `ClassMap` |
//! | [`GaussianNegativeLogLikelihood`](struct@GaussianNegativeLogLikelihood) | [`Gaussians`](crate::Gaussians) | `Values` |
//! | [`PoissonNegativeLogLikelihood`](struct@PoissonNegativeLogLikelihood) | `Values` | `Values` |
//! | [`CosineEmbedding`](struct@CosineEmbedding) | [`Embeddings<2, D>`](crate::Embeddings) | `Class<2>` |
//! | [`Triplet`](struct@Triplet) | `Embeddings<3, D>` | `Class<2>` |
//! | [`InfoNce`](struct@InfoNce) | `Embeddings<K, D>` | `Class<C>`, with `C = K - 1` |
//! | [`Ctc`](struct@Ctc) | `TokenLogits<V>` | `Tokens<V, L>` |
//!
//! Prediction and target must have exactly the shapes of their types; nothing broadcasts. Each loss has the key
//! [`reduction`](Reduction), the mean by default.

mod binary_cross_entropy;
mod binary_focal;
mod bound;
mod classes;
mod cosine_embedding;
mod cross_entropy;
mod ctc;
mod dice;
mod embeddings;
mod focal;
mod gaussian;
mod hinge;
mod huber;
mod info_nce;
mod kl_divergence;
mod list;
mod mean_absolute_error;
mod mean_squared_error;
mod negative_log_likelihood;
mod places;
mod pointwise;
mod poisson;
mod reduction;
mod smooth_l1;
mod suggested;
mod target;
mod target_rules;
mod triplet;

pub use binary_cross_entropy::BinaryCrossEntropy;
pub use binary_focal::BinaryFocal;
pub use bound::BoundLoss;
pub use cosine_embedding::CosineEmbedding;
pub use cross_entropy::CrossEntropy;
pub use ctc::Ctc;
pub use dice::Dice;
pub use focal::Focal;
pub use gaussian::GaussianNegativeLogLikelihood;
pub use hinge::Hinge;
pub use huber::Huber;
pub use info_nce::InfoNce;
pub use kl_divergence::KlDivergence;
pub use mean_absolute_error::MeanAbsoluteError;
pub use mean_squared_error::MeanSquaredError;
pub use negative_log_likelihood::NegativeLogLikelihood;
pub use poisson::PoissonNegativeLogLikelihood;
pub use reduction::Reduction;
pub use smooth_l1::SmoothL1;
pub(crate) use suggested::Suggested;
pub use target::{TargetKind, TargetKinds};
pub(crate) use target_rules::Ignoring;
pub use target_rules::{BadTarget, PredictedAs, TargetRules};
pub use triplet::Triplet;

use candle_core::Tensor;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::shape::{CheckResult, Element, Elements, Kind, Shape};

/// A loss summed over a batch, and the weight that divides the sum.
///
/// Both are summed over an accumulation window before the division, so a short micro-batch counts in proportion to its
/// samples.
#[derive(Clone, Debug)]
pub struct LossSum {
    /// The sum: a scalar tensor that candle can differentiate.
    pub sum: Tensor,
    /// The number of samples or tokens, or the sum of class weights, without ignored targets.
    pub weight: f64,
}

/// A loss for a model with output `Output` and data with target `Target`.
pub trait Loss<Output: Kind, Target: Kind>: Config {
    /// Returns the loss of a batch, summed.
    ///
    /// # Shapes
    /// `prediction` is `[batch, …]` with the shape of the output type, `target` with that of the target type.
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum>;

    /// Returns whether training minimizes the mean of a window, the default, or the sum.
    fn reduction(&self) -> Reduction {
        Reduction::Mean
    }

    /// Checks that the keys fit the output and target types, such as one weight for each class. Called once, before the run.
    ///
    /// # Errors
    /// If they do not fit.
    fn fits(&self) -> CheckResult {
        Ok(())
    }

    /// Returns the target that is ignored, which data may contain although it is not a class.
    fn ignored(&self) -> Option<u32> {
        None
    }

    /// Checks that the loss can be computed for the target of a sample. All targets are checked before the first step, so
    /// that a run does not fail late. Accepts every target by default.
    ///
    /// ```
    /// use candle_core::Tensor;
    /// use serde::{Deserialize, Serialize};
    /// use trainspec::loss::{BadTarget, Loss, LossSum};
    /// use trainspec::{Config, Values, CheckResult};
    ///
    /// /// The squared error of logarithms.
    /// #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
    /// pub struct LogError {}
    ///
    /// impl LogError {
    ///     pub const fn check(&self) -> CheckResult {
    ///         Ok(())
    ///     }
    /// }
    ///
    /// impl Config for LogError {
    ///     const NAME: &'static str = "LogError";
    ///     const DEFAULT: Self = Self {};
    ///     const CHECK: fn(&Self) -> CheckResult = Self::check;
    /// }
    ///
    /// impl<const N: usize> Loss<Values<N>, Values<N>> for LogError {
    ///     fn sum(&self, prediction: &Tensor, target: &Tensor) -> trainspec::Result<LossSum> {
    ///         let sum = (prediction - target.log()?)?.sqr()?.sum_all()?;
    ///         Ok(LossSum { sum, weight: prediction.dim(0)? as f64 })
    ///     }
    ///     fn accepts(&self, target: &[f32]) -> Result<(), BadTarget> {
    ///         BadTarget::unless(target, |value| *value > 0.0, "a number above 0")
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// If the loss is not defined for the target; the error states the target and what the loss expects.
    fn accepts(&self, target: &[Target::Element]) -> Result<(), BadTarget> {
        let _ = target;
        Ok(())
    }

    /// Returns whether the target of a sample counts in the mean. A part of the data in which no target counts has no loss and
    /// is rejected before the first step. By default a target counts if one of its elements is not
    /// [ignored](Loss::ignored).
    fn counts(&self, target: &[Target::Element]) -> bool {
        self.ignored().is_none_or(|ignored| target.iter().any(|element| element.whole() != Some(ignored)))
    }

    /// Returns the weight of consecutive targets, those of `samples` samples: the [`LossSum::weight`] that [`Loss::sum`] returns
    /// for them, which therefore depends on the targets alone. The number of samples by default.
    ///
    /// A model with several outputs divides each loss by its weight over all micro-batches of a step, so it needs the weights
    /// before the first of them.
    fn weight(&self, targets: &[Target::Element], samples: usize) -> f64 {
        let _ = targets;
        samples as f64
    }

    /// Returns the loss as a kernel for predictions of this shape, for the planned engine. Returns `None` by default; the engine
    /// then lets candle differentiate [`Loss::sum`].
    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        let _ = prediction;
        None
    }
}

/// A loss over slices, for predictions of a fixed shape.
pub trait LossKernel: Send + Sync {
    /// Returns the summed loss of a batch and its weight, and writes the gradient of the sum to `gradient`, if it is passed.
    ///
    /// # Shapes
    /// `prediction` and `gradient` are contiguous samples of the kernel's shape.
    ///
    /// # Errors
    /// If the targets do not fit.
    fn sum(&self, prediction: &[f32], target: &Elements, gradient: Option<&mut [f32]>) -> Result<(f64, f64)>;
}

/// The losses of a model with output `Output` and data with target `Target`: a [`Loss`], or for a model with several outputs a tuple
/// with one for each.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a loss for a model with output `{Output}` and data with target `{Target}`",
    label = "this loss does not match the output of the model and the target of the data",
    note = "`CrossEntropy` compares `Logits<C>` with `Class<C>`, `TokenLogits<V>` with `Tokens<V, T>`, and `LogitMap<C, H, W>` with \
            `ClassMap<C, H, W>`; \
            `MeanSquaredError`, `MeanAbsoluteError`, `Huber` and `SmoothL1` compare `Values<N>` with `Values<N>`",
    note = "`BinaryCrossEntropy` compares `Logits<N>` with `Labels<N>`, and `Logits<1>` with `Class<2>`, as `Hinge` does, \
            which also compares `Logits<C>` with `Class<C>`; `NegativeLogLikelihood` compares `LogProbabilities<C>` with \
            `Class<C>`, `KlDivergence` with `Probabilities<C>`",
    note = "`Focal` fits where `CrossEntropy` does, `BinaryFocal` where `BinaryCrossEntropy` does; `Dice` compares `Logits<N>` with \
            `Labels<N>`, and `LogitMap<C, H, W>` with `ClassMap<C, H, W>`; `PoissonNegativeLogLikelihood` compares `Values<N>`, and `GaussianNegativeLogLikelihood` `Gaussians<N>`, with \
            `Values<N>`; `Ctc` compares `TokenLogits<V>` with `Tokens<V, L>`",
    note = "`CosineEmbedding` compares `Embeddings<2, D>`, `Triplet` `Embeddings<3, D>`, with `Class<2>`; `InfoNce` compares \
            `Embeddings<K, D>` with `Class<C>`",
    note = "a model with several outputs takes a tuple with one loss for each: `(CrossEntropy, MeanSquaredError)`"
)]
pub trait AnyLoss<Output, Target>: Send + Sync {
    /// The loss of each output; none if the key is not set, and the targets determine them.
    fn each(&self) -> Vec<Box<dyn BoundLoss>>;
}

#[diagnostic::do_not_recommend]
impl<Output: Kind, Target: Kind, L: Loss<Output, Target>> AnyLoss<Output, Target> for L {
    fn each(&self) -> Vec<Box<dyn BoundLoss>> {
        vec![bound::Bound::<L, Output, Target>::boxed(*self)]
    }
}

macro_rules! tuples {
    ($(($($loss:ident $output:ident $target:ident $place:tt),*))*) => { $(
        #[diagnostic::do_not_recommend]
        impl<$($output: Kind, $target: Kind, $loss: Loss<$output, $target>),*>
            AnyLoss<($($output,)*), ($($target,)*)> for ($($loss,)*)
        {
            fn each(&self) -> Vec<Box<dyn BoundLoss>> {
                vec![$(bound::Bound::<$loss, $output, $target>::boxed(self.$place)),*]
            }
        }
    )* };
}

tuples! {
    (L0 O0 T0 0, L1 O1 T1 1)
    (L0 O0 T0 0, L1 O1 T1 1, L2 O2 T2 2)
    (L0 O0 T0 0, L1 O1 T1 1, L2 O2 T2 2, L3 O3 T3 3)
    (L0 O0 T0 0, L1 O1 T1 1, L2 O2 T2 2, L3 O3 T3 3, L4 O4 T4 4)
    (L0 O0 T0 0, L1 O1 T1 1, L2 O2 T2 2, L3 O3 T3 3, L4 O4 T4 4, L5 O5 T5 5)
}

/// Checks that the number of targets matches the prediction.
fn check_targets(predicted: usize, targets: usize) -> Result<()> {
    if predicted == targets {
        return Ok(());
    }
    Err(Error::Batch(format!("there are {targets} targets; the model's output requires {predicted}")))
}
