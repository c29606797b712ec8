//! The negative log-likelihood.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec_kernels::likelihood::NegativeLogLikelihood as Kernel;

use super::classes::{Counting, by_counting, nothing};
use super::list::{check_weights, leaked, singles};
use super::{Loss, LossKernel, LossSum, Reduction};
use crate::config::Config;
use crate::error::Result;
use crate::keys::Facts;
use crate::shape::Elements;
use crate::shape::{CheckResult, Class, LogProbabilities, Shape};

/// Computes the negative log-probability of the target class from log-probabilities.
///
/// With log-probabilities `y` and target class `c`, a sample's loss is `-w_c y_c`, and its weight `w_c`. The model must
/// output log-probabilities, with `log_softmax` as its last layer. For logits, [`CrossEntropy`](struct@super::CrossEntropy) is
/// equivalent and more accurate.
///
/// # Source
/// PyTorch's `NLLLoss`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NegativeLogLikelihood {
    /// The weight of each class, as in [`CrossEntropy::weights`](super::CrossEntropy::weights).
    #[serde(deserialize_with = "leaked")]
    pub weights: &'static [f64],
    /// A target that is ignored, as in [`CrossEntropy::ignore_index`](super::CrossEntropy::ignore_index).
    pub ignore_index: Option<u32>,
    /// Mean or sum; the mean by default.
    pub reduction: Reduction,
}

/// [`NegativeLogLikelihood`](struct@NegativeLogLikelihood) with every key at its default.
#[allow(non_upper_case_globals)]
pub const NegativeLogLikelihood: NegativeLogLikelihood = NegativeLogLikelihood::DEFAULT;

impl NegativeLogLikelihood {
    /// Checks the range of the weights.
    pub const fn check(&self) -> CheckResult<Facts> {
        check_weights("weights", self.weights)
    }

    fn counting(self) -> Counting {
        Counting { weights: self.weights, ignored: self.ignore_index }
    }
}

impl Config for NegativeLogLikelihood {
    const NAME: &'static str = "NegativeLogLikelihood";
    const DEFAULT: Self = Self { weights: &[], ignore_index: None, reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl<const C: usize> Loss<LogProbabilities<C>, Class<C>> for NegativeLogLikelihood {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let Some(rows) = self.counting().rows(target, prediction.dtype())? else {
            return nothing(prediction);
        };
        Ok(LossSum { sum: rows.likelihood(&rows.of(prediction)?)?, weight: rows.weight })
    }

    by_counting!(C, "classes");

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        let counting = self.counting();
        Some(Box::new(Rows { classes: prediction.last(), weights: singles(self.weights), counting }))
    }
}

/// The loss as a kernel.
struct Rows {
    classes: usize,
    weights: Vec<f32>,
    counting: Counting,
}

impl LossKernel for Rows {
    fn sum(&self, prediction: &[f32], target: &Elements, gradient: Option<&mut [f32]>) -> Result<(f64, f64)> {
        let rows = prediction.len() / self.classes.max(1);
        let targets = self.counting.check(target, rows, self.classes)?;
        let (weights, ignored) = (self.weights.as_slice(), self.counting.ignored);
        let kernel = Kernel { classes: self.classes, weights, ignored };
        let sum = match gradient {
            Some(gradient) => kernel.forward_backward(prediction, targets, gradient),
            None => kernel.forward(prediction, targets),
        };
        Ok((sum, self.counting.sum(targets)))
    }
}
