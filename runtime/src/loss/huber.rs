//! The Huber loss.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec_kernels::pointwise_loss::Function;

use super::mean_absolute_error::distance;
use super::pointwise::Pointwise;
use super::{Loss, LossKernel, LossSum, Reduction};
use crate::config::Config;
use crate::error::Result;
use crate::shape::{CheckError, CheckResult, Shape, Values};

/// Computes the squared error near the target and a linear error far from it, which is less sensitive to outliers.
///
/// With `e = y - t`, a value's loss is `e^2 / 2` for `|e| <= delta`, else `delta (|e| - delta / 2)`; its slope is at
/// most `delta`. It is averaged over the values of a sample and over the samples.
/// (`SmoothL1 { beta }` is this divided by `delta = beta`.)
///
/// # Source
/// Huber, "Robust estimation of a location parameter", 1964; PyTorch's `HuberLoss`.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// assert!(Huber { delta: 0.5, ..trainspec::Config::DEFAULT }.check().is_ok());
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Huber {
    /// The error at which the loss becomes linear, above 0; 1 by default.
    pub delta: f64,
    /// Mean or sum; the mean by default.
    pub reduction: Reduction,
}

/// [`Huber`](struct@Huber) with every key at its default.
#[allow(non_upper_case_globals)]
pub const Huber: Huber = Huber::DEFAULT;

impl Huber {
    /// Checks the range of `delta`.
    pub const fn check(&self) -> CheckResult {
        if self.delta > 0.0 && self.delta <= f32::MAX as f64 {
            return Ok(());
        }
        Err(CheckError::new("delta is ").float(self.delta).text("; expected a finite number above 0"))
    }
}

impl Config for Huber {
    const NAME: &'static str = "Huber";
    const DEFAULT: Self = Self { delta: 1.0, reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl<const N: usize> Loss<Values<N>, Values<N>> for Huber {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let (samples, values) = prediction.dims2()?;
        let error = (prediction - target)?;
        let size = distance(&error)?;
        let near = (error.sqr()? * 0.5)?;
        let far = ((&size - 0.5 * self.delta)? * self.delta)?;
        let sum = size.detach().le(self.delta)?.where_cond(&near, &far)?.sum_all()?;
        Ok(LossSum { sum: self.reduction.over(&sum, values)?, weight: samples as f64 })
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        let function = Function::Huber { delta: self.delta as f32 };
        Some(Box::new(Pointwise::new(function, prediction, self.reduction)))
    }
}
