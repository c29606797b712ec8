//! Cross entropy from logits.

use candle_core::Tensor;
use candle_nn::ops::log_softmax;
use serde::{Deserialize, Serialize};
use trainspec_kernels::cross_entropy as kernels;

use super::classes::{Counting, by_counting, nothing, pixels};
use super::list::{check_weights, leaked, singles};
use super::places::Places;
use super::{Loss, LossKernel, LossSum, Reduction};
use crate::config::Config;
use crate::error::Result;
use crate::keys::Facts;
use crate::shape::Elements;
use crate::shape::{CheckError, CheckResult, Class, ClassMap, LogitMap, Logits, Shape, TokenLogits, Tokens};

/// Computes the negative log-probability of the target class from logits.
///
/// With logits `z`, `log p = z - log sum exp z` and target class `c`, a sample's loss is
/// `(1 - e) * -log p_c + e * mean_k(-log p_k)`, where `e` is [`label_smoothing`](Self::label_smoothing).
/// The mean is over samples; for tokens, over all positions. The model must output logits, without a softmax before
/// this loss.
///
/// With [`weights`](Self::weights) `w`, a sample's loss is `(1 - e) * -w_c log p_c + e * mean_k(-w_k log p_k)` and its weight
/// in the mean is `w_c`: the mean is the sum of the losses over the sum of the weights.
///
/// # Errors
/// If there is not one weight for each class: `CrossEntropy: weights has 2 values, but there are 10
/// classes; expected one for each`.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Net(image: Image<1, 8, 8>) -> Logits<10> {
///     image.flatten().linear(out = 10)
/// }
///
/// train! {
///     Digits {
///         model: Net,
///         data: Digits8x8::embedded(),
///         // An 8 is misclassified most often.
///         loss: CrossEntropy { weights: &[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 1.0] },
///         steps: 2,
///     }
/// }
/// # Digits::experiment().without_folder().run()?;
/// # Ok::<(), trainspec::Error>(())
/// ```
///
/// # Source
/// Label smoothing: Szegedy et al. 2016, in PyTorch's form.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossEntropy {
    /// The share of the target that is spread evenly over all classes: `0 <= label_smoothing < 1`; 0 by default.
    pub label_smoothing: f64,
    /// The weight of each class, one value of 0 or more for each: `&[1.0, 5.0]`. Empty, the default, is 1 for all.
    #[serde(deserialize_with = "leaked")]
    pub weights: &'static [f64],
    /// A target that is ignored in the loss, its weight and the metrics, such as `Some(255)` for missing labels or `Some(0)` for
    /// padding. It does not have to be one of the classes. The mean of a batch with only ignored targets is not defined: its
    /// weight and its gradient are 0, and its loss is NaN, which is printed as `-`. A part of the data with only ignored targets
    /// is rejected before the first step. `None` by default.
    pub ignore_index: Option<u32>,
    /// Mean or sum; the mean by default.
    pub reduction: Reduction,
}

/// [`CrossEntropy`](struct@CrossEntropy) with every key at its default.
#[allow(non_upper_case_globals)]
pub const CrossEntropy: CrossEntropy = CrossEntropy::DEFAULT;

impl CrossEntropy {
    /// Checks the ranges of the label smoothing and of the weights.
    pub const fn check(&self) -> CheckResult<Facts> {
        if self.label_smoothing >= 0.0 && self.label_smoothing < 1.0 {
            return check_weights("weights", self.weights);
        }
        Err(CheckError::new("label_smoothing is ")
            .float(self.label_smoothing)
            .text("; expected 0 <= label_smoothing < 1"))
    }

    fn counting(self) -> Counting {
        Counting { weights: self.weights, ignored: self.ignore_index }
    }

    /// `logits` is `[rows, classes]`, `classes` is `[rows]`.
    fn rows(self, logits: &Tensor, classes: &Tensor) -> Result<LossSum> {
        let counting = self.counting();
        let Some(rows) = counting.rows(classes, logits.dtype())? else { return nothing(logits) };
        let log_p = log_softmax(&rows.of(logits)?, 1)?;
        let right = rows.likelihood(&log_p)?;
        let sum = if self.label_smoothing == 0.0 {
            right
        } else {
            let log_p = match counting.weights(logits.dtype(), logits.device())? {
                Some(weights) => log_p.broadcast_mul(&weights)?,
                None => log_p,
            };
            let spread = (log_p.sum_all()?.neg()? / logits.dim(1)? as f64)?;
            ((right * (1.0 - self.label_smoothing))? + (spread * self.label_smoothing)?)?
        };
        Ok(LossSum { sum, weight: rows.weight })
    }
}

impl Config for CrossEntropy {
    const NAME: &'static str = "CrossEntropy";
    const DEFAULT: Self =
        Self { label_smoothing: 0.0, weights: &[], ignore_index: None, reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl<const C: usize> Loss<Logits<C>, Class<C>> for CrossEntropy {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        self.rows(prediction, target)
    }

    by_counting!(C, "classes");

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        Some(Box::new(Rows::new(*self, prediction)))
    }
}

impl<const V: usize, const T: usize> Loss<TokenLogits<V>, Tokens<V, T>> for CrossEntropy {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        self.rows(&prediction.flatten_to(1)?, &target.flatten_all()?)
    }

    by_counting!(V, "tokens");

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        Some(Box::new(Rows::new(*self, prediction)))
    }
}

/// Each pixel counts like a sample.
impl<const C: usize, const H: usize, const W: usize> Loss<LogitMap<C, H, W>, ClassMap<C, H, W>>
    for CrossEntropy
{
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        self.rows(&pixels(prediction)?, &target.flatten_all()?)
    }

    by_counting!(C, "classes");

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        Some(Box::new(Places::new(self.counting()).smoothed(self.label_smoothing).planes(prediction)))
    }
}

/// The loss as a kernel.
struct Rows {
    classes: usize,
    label_smoothing: f32,
    weights: Vec<f32>,
    counting: Counting,
}

impl Rows {
    fn new(loss: CrossEntropy, prediction: Shape) -> Self {
        Self {
            classes: prediction.last(),
            label_smoothing: loss.label_smoothing as f32,
            weights: singles(loss.weights),
            counting: loss.counting(),
        }
    }
}

impl LossKernel for Rows {
    fn sum(&self, prediction: &[f32], target: &Elements, gradient: Option<&mut [f32]>) -> Result<(f64, f64)> {
        let Self { classes, label_smoothing, ref weights, counting } = *self;
        let rows = prediction.len() / classes.max(1);
        let targets = counting.check(target, rows, classes)?;
        let kernel =
            kernels::CrossEntropy { rows, classes, label_smoothing, weights, ignored: counting.ignored };
        let sum = match gradient {
            Some(gradient) => kernel.forward_backward(prediction, targets, gradient),
            None => kernel.forward(prediction, targets),
        };
        Ok((sum, counting.sum(targets)))
    }
}
