//! The smooth L1 loss.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec_kernels::pointwise_loss::Function;

use super::mean_absolute_error::distance;
use super::pointwise::Pointwise;
use super::{Loss, LossKernel, LossSum, Reduction};
use crate::config::Config;
use crate::error::Result;
use crate::shape::{CheckError, CheckResult, Shape, Values};

/// Computes the absolute error, made quadratic near 0.
///
/// With `e = y - t`, a value's loss is `e^2 / (2 beta)` for `|e| < beta`, else `|e| - beta / 2`; its slope is at most
/// 1 for every `beta`. It is averaged over the values of a sample and over the samples. With `beta: 0` it is the
/// absolute error.
///
/// # Source
/// Girshick, "Fast R-CNN", 2015; PyTorch's `SmoothL1Loss`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmoothL1 {
    /// The error at which the loss becomes linear, 0 or more; 1 by default.
    pub beta: f64,
    /// Mean or sum; the mean by default.
    pub reduction: Reduction,
}

/// [`SmoothL1`](struct@SmoothL1) with every key at its default.
#[allow(non_upper_case_globals)]
pub const SmoothL1: SmoothL1 = SmoothL1::DEFAULT;

impl SmoothL1 {
    /// Checks the range of `beta`.
    pub const fn check(&self) -> CheckResult {
        // Half of its reciprocal must be finite in f32 as well.
        let is_divisor = self.beta >= f32::MIN_POSITIVE as f64 && self.beta <= f32::MAX as f64;
        if self.beta == 0.0 || is_divisor {
            return Ok(());
        }
        if self.beta > 0.0 && self.beta.is_finite() {
            return Err(CheckError::new("beta is ")
                .float(self.beta)
                .text("; expected 0, or a number within the range of f32"));
        }
        Err(CheckError::new("beta is ").float(self.beta).text("; expected a finite number of 0 or more"))
    }
}

impl Config for SmoothL1 {
    const NAME: &'static str = "SmoothL1";
    const DEFAULT: Self = Self { beta: 1.0, reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl<const N: usize> Loss<Values<N>, Values<N>> for SmoothL1 {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let (samples, values) = prediction.dims2()?;
        let error = (prediction - target)?;
        let size = distance(&error)?;
        let far = (&size - 0.5 * self.beta)?;
        let sum = if self.beta > 0.0 {
            let near = (error.sqr()? * (0.5 / self.beta))?;
            size.detach().lt(self.beta)?.where_cond(&near, &far)?.sum_all()?
        } else {
            far.sum_all()?
        };
        Ok(LossSum { sum: self.reduction.over(&sum, values)?, weight: samples as f64 })
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        let function = Function::SmoothL1 { beta: self.beta as f32 };
        Some(Box::new(Pointwise::new(function, prediction, self.reduction)))
    }
}
