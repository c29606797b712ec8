//! The hinge loss.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec_kernels::margin_loss::MarginLoss;
use trainspec_kernels::pointwise_loss::Function;

use super::binary_cross_entropy::one_of_two;
use super::classes::Counting;
use super::pointwise::{Expects, Pointwise};
use super::{Loss, LossKernel, LossSum, Reduction};
use crate::config::Config;
use crate::error::Result;
use crate::shape::Elements;
use crate::shape::{CheckError, CheckResult, Class, Logits, Shape};

/// Penalizes logits of the target class that do not exceed the others by a margin: the loss of support vector machines.
///
/// With `C` logits `z` and target class `c`, a sample's loss is `1/C sum over j != c of max(0, margin - z_c + z_j)^power`;
/// with one logit (`Logits<1>` for `Class<2>`), it is `max(0, margin - s z)^power` with `s` 1 for class 1 and -1 for
/// class 0. Where the margin is exactly met, the gradient is 0. The mean is over samples.
///
/// # Source
/// Cortes and Vapnik 1995; over classes, Weston and Watkins 1999 in the form of PyTorch's `MultiMarginLoss`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hinge {
    /// The margin, above 0; 1 by default.
    pub margin: f64,
    /// 1, or 2 for the squared hinge; 1 by default.
    pub power: u32,
    /// Mean or sum over the samples; the mean by default.
    pub reduction: Reduction,
}

/// [`Hinge`](struct@Hinge) with every key at its default.
#[allow(non_upper_case_globals)]
pub const Hinge: Hinge = Hinge::DEFAULT;

impl Hinge {
    /// Checks the ranges of the keys.
    pub const fn check(&self) -> CheckResult {
        if !(self.margin > 0.0 && self.margin <= f32::MAX as f64) {
            return Err(CheckError::new("margin is ")
                .float(self.margin)
                .text("; expected a finite number above 0"));
        }
        if self.power == 1 || self.power == 2 {
            return Ok(());
        }
        Err(CheckError::new("power is ").number(self.power as usize).text("; expected 1 or 2"))
    }

    /// Sums the margin violations, or their squares, where they are above 0.
    fn terms(self, missing: &Tensor) -> Result<Tensor> {
        // "Not at most 0" keeps NaN, and multiplying an infinite difference by 0 would create one.
        let missing = missing.detach().le(0.0)?.where_cond(&missing.zeros_like()?, missing)?;
        Ok(if self.power == 2 { missing.sqr()?.sum_all()? } else { missing.sum_all()? })
    }
}

impl Config for Hinge {
    const NAME: &'static str = "Hinge";
    const DEFAULT: Self = Self { margin: 1.0, power: 1, reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl<const C: usize> Loss<Logits<C>, Class<C>> for Hinge {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let (samples, classes) = prediction.dims2()?;
        let right = prediction.gather(&target.unsqueeze(1)?, 1)?;
        let mut others = vec![1.0_f64; samples * classes];
        for (row, class) in others.chunks_mut(classes.max(1)).zip(target.to_vec1::<u32>()?) {
            if let Some(right) = row.get_mut(class as usize) {
                *right = 0.0;
            }
        }
        let others = Tensor::from_vec(others, (samples, classes), prediction.device())?;
        let missing = prediction.broadcast_sub(&right)?.affine(1.0, self.margin)?;
        let sum = self.terms(&(missing * others.to_dtype(prediction.dtype())?)?)?;
        Ok(LossSum { sum: (sum / classes.max(1) as f64)?, weight: samples as f64 })
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        Some(Box::new(Rows { loss: *self, classes: prediction.last() }))
    }
}

impl Loss<Logits<1>, Class<2>> for Hinge {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let sign = one_of_two(target, prediction.dtype())?.affine(2.0, -1.0)?;
        let missing = (prediction * sign)?.affine(-1.0, self.margin)?;
        Ok(LossSum { sum: self.terms(&missing)?, weight: prediction.dim(0)? as f64 })
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        let function = Function::Margin { margin: self.margin as f32, squared: self.power == 2 };
        Some(Box::new(Pointwise::new(function, prediction, self.reduction).of(Expects::Class)))
    }
}

/// The loss over classes as a kernel.
struct Rows {
    loss: Hinge,
    classes: usize,
}

impl LossKernel for Rows {
    fn sum(&self, prediction: &[f32], target: &Elements, gradient: Option<&mut [f32]>) -> Result<(f64, f64)> {
        let rows = prediction.len() / self.classes.max(1);
        let targets = Counting::ALL.check(target, rows, self.classes)?;
        let (margin, squared) = (self.loss.margin as f32, self.loss.power == 2);
        let kernel = MarginLoss { rows, classes: self.classes, margin, squared };
        let sum = match gradient {
            Some(gradient) => kernel.forward_backward(prediction, targets, gradient),
            None => kernel.forward(prediction, targets),
        };
        Ok((sum, rows as f64))
    }
}
