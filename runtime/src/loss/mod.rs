//! Losses: what training minimizes.
//!
//! | loss | model gives | data give |
//! | --- | --- | --- |
//! | [`CrossEntropy`](struct@CrossEntropy) | [`Logits`](crate::Logits), [`TokenLogits`](crate::TokenLogits) | [`Class`](crate::Class), [`Tokens`](crate::Tokens) |
//! | [`MeanSquaredError`](struct@MeanSquaredError) | [`Values`](crate::Values) | [`Values`](crate::Values) |

mod cross_entropy;
mod mean_squared_error;
mod suggested;

pub use cross_entropy::CrossEntropy;
pub use mean_squared_error::MeanSquaredError;
pub(crate) use suggested::Suggested;

use candle_core::Tensor;

use crate::config::{Config, Setting, with_changes};
use crate::data::Elements;
use crate::error::{Error, Result};
use crate::shape::{Kind, Shape};

/// A loss summed over a batch, and the weight by which the sum is divided.
///
/// Both are summed over an accumulation window before they are divided, so a short micro-batch counts for
/// what it holds.
#[derive(Clone, Debug)]
pub struct LossSum {
    /// The sum: a tensor of no axes, which candle can differentiate.
    pub sum: Tensor,
    /// Samples, tokens or class weights.
    pub weight: f64,
}

/// A loss for a model that gives `Output` and data that give `Target`.
pub trait Loss<Output: Kind, Target: Kind>: Config {
    /// The loss of a batch, summed.
    ///
    /// # Shapes
    /// `prediction` is `[batch, …]` as the output's kind says, `target` as the target's.
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum>;

    /// The same for predictions of this shape as a kernel, for the planned engine; by default there is none, and
    /// it lets candle differentiate [`Loss::sum`].
    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        let _ = prediction;
        None
    }
}

/// A loss on slices, for predictions of one shape.
pub trait LossKernel: Send + Sync {
    /// The loss of a batch, summed, and its weight; and the gradient of the sum, if it is wanted.
    ///
    /// # Shapes
    /// `prediction` and `gradient` are samples of the kernel's shape one after the other.
    ///
    /// # Errors
    /// If the targets do not fit.
    fn sum(&self, prediction: &[f32], target: &Elements, gradient: Option<&mut [f32]>) -> Result<(f64, f64)>;
}

/// A loss of any type, for one model and one kind of target.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not compare `{Output}` with `{Target}`",
    label = "this loss does not fit what the model gives and the data expect",
    note = "`CrossEntropy` compares `Logits<C>` with `Class<C>` and `TokenLogits<V>` with `Tokens<V, T>`; \
            `MeanSquaredError` compares `Values<N>` with `Values<N>`"
)]
pub trait AnyLoss<Output, Target>: Setting {
    /// [`Loss::sum`]
    ///
    /// # Errors
    /// If candle refuses an operation.
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum>;
    /// [`Loss::kernel`]
    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>>;
    /// A copy.
    fn boxed(&self) -> Box<dyn AnyLoss<Output, Target>>;
    /// The same loss with changed keys.
    ///
    /// # Errors
    /// If a key or value does not fit.
    fn with(&self, json: &serde_json::Value) -> Result<Box<dyn AnyLoss<Output, Target>>, String>;
}

#[diagnostic::do_not_recommend]
impl<Output: Kind, Target: Kind, L: Loss<Output, Target>> AnyLoss<Output, Target> for L {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        Loss::sum(self, prediction, target)
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        Loss::kernel(self, prediction)
    }

    with_changes!(dyn AnyLoss<Output, Target>);
}

/// That there is a target for each part of a prediction.
fn check_targets(predicted: usize, targets: usize) -> Result<()> {
    if predicted == targets {
        return Ok(());
    }
    Err(Error::Batch(format!("there are {targets} targets; the model's output needs {predicted}")))
}
