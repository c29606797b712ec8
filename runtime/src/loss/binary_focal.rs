//! The focal loss of labels.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec_kernels::pointwise_loss::Function;

use super::binary_cross_entropy::{one_of_two, softplus};
use super::focal::{check_gamma, focal};
use super::pointwise::{Expects, Pointwise};
use super::{BadTarget, Loss, LossKernel, LossSum, Reduction};
use crate::config::Config;
use crate::error::Result;
use crate::shape::{CheckError, CheckResult, Class, Labels, Logits, Shape};

/// Computes the binary cross entropy with less weight on labels that are already predicted well, for rare labels.
///
/// With `p = sigmoid(z)`, the loss of a label is `-alpha (1 - p)^gamma ln p` for a target of 1, and
/// `-(1 - alpha) p^gamma ln(1 - p)` for a target of 0; averaged over the labels of a sample and over the samples. The model
/// must output logits, without a sigmoid before this loss.
///
/// The target is [`Labels<N>`](crate::Labels) for a model with output `Logits<N>`, or `Class<2>` for one with output
/// `Logits<1>`, the logit of class 1.
///
/// # Errors
/// When the program starts: if a target is neither 0 nor 1.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// assert!(BinaryFocal { alpha: 0.75, ..trainspec::Config::DEFAULT }.check().is_ok());
/// ```
///
/// # Source
/// Lin et al., "Focal loss for dense object detection", 2017; torchvision's `sigmoid_focal_loss`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinaryFocal {
    /// How much less a label counts as its probability rises, from 0 to 100; 2 by default.
    pub gamma: f64,
    /// The weight of a target of 1, from 0 to 1; that of a target of 0 is `1 - alpha`. 0.25 by default, as in the paper: with a large
    /// `gamma` the few labels of 1 dominate.
    pub alpha: f64,
    /// Mean or sum; the mean by default.
    pub reduction: Reduction,
}

/// [`BinaryFocal`](struct@BinaryFocal) with every key at its default.
#[allow(non_upper_case_globals)]
pub const BinaryFocal: BinaryFocal = BinaryFocal::DEFAULT;

impl BinaryFocal {
    /// Checks the ranges of `gamma` and `alpha`.
    pub const fn check(&self) -> CheckResult {
        if !(self.alpha >= 0.0 && self.alpha <= 1.0) {
            return Err(CheckError::new("alpha is ")
                .float(self.alpha)
                .text("; expected a number from 0 to 1"));
        }
        check_gamma(self.gamma)
    }

    /// `logits` and `target` are `[batch, labels]`.
    fn rows(self, logits: &Tensor, target: &Tensor) -> Result<LossSum> {
        let (samples, labels) = logits.dims2()?;
        // ln p for a target of 1, ln(1 - p) for one of 0.
        let log_p = softplus(&(logits * target.affine(-2.0, 1.0)?)?)?.neg()?;
        let weights = target.affine(2.0 * self.alpha - 1.0, 1.0 - self.alpha)?;
        let sum = (focal(&log_p, self.gamma)? * weights)?.sum_all()?;
        Ok(LossSum { sum: self.reduction.over(&sum, labels)?, weight: samples as f64 })
    }

    fn form(self, prediction: Shape, expects: Expects) -> Pointwise {
        let function = Function::Focal { gamma: self.gamma as f32, alpha: self.alpha as f32 };
        Pointwise::new(function, prediction, self.reduction).of(expects)
    }
}

impl Config for BinaryFocal {
    const NAME: &'static str = "BinaryFocal";
    const DEFAULT: Self = Self { gamma: 2.0, alpha: 0.25, reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl<const N: usize> Loss<Logits<N>, Labels<N>> for BinaryFocal {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        self.rows(prediction, target)
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn accepts(&self, target: &[f32]) -> Result<(), BadTarget> {
        BadTarget::unless(target, |label| [0.0, 1.0].contains(label), "0 or 1")
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        Some(Box::new(self.form(prediction, Expects::Probability)))
    }
}

impl Loss<Logits<1>, Class<2>> for BinaryFocal {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        self.rows(prediction, &one_of_two(target, prediction.dtype())?)
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        Some(Box::new(self.form(prediction, Expects::Class)))
    }
}
