//! Mean absolute error.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec_kernels::pointwise_loss::Function;

use super::pointwise::Pointwise;
use super::{Loss, LossKernel, LossSum, Reduction};
use crate::config::Config;
use crate::error::Result;
use crate::shape::{CheckResult, Shape, Values};

/// Computes the absolute difference of prediction and target, averaged over the values of a sample and over the samples.
/// It is a loss and a [metric](crate::metric).
///
/// As a loss, its gradient is 0 where prediction and target are equal (PyTorch's `L1Loss`).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanAbsoluteError {
    /// For the loss, mean or sum; for the metric, whether the values of a sample are averaged or summed. The mean by default.
    pub reduction: Reduction,
}

/// [`MeanAbsoluteError`](struct@MeanAbsoluteError) with every key at its default.
#[allow(non_upper_case_globals)]
pub const MeanAbsoluteError: MeanAbsoluteError = MeanAbsoluteError::DEFAULT;

impl MeanAbsoluteError {
    /// Accepts every value.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }
}

impl Config for MeanAbsoluteError {
    const NAME: &'static str = "MeanAbsoluteError";
    const DEFAULT: Self = Self { reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

/// Computes `|e|`, with gradient 0 at 0.
pub(super) fn distance(error: &Tensor) -> Result<Tensor> {
    Ok((error * error.detach().sign()?)?)
}

impl<const N: usize> Loss<Values<N>, Values<N>> for MeanAbsoluteError {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let (samples, values) = prediction.dims2()?;
        let sum = distance(&(prediction - target)?)?.sum_all()?;
        Ok(LossSum { sum: self.reduction.over(&sum, values)?, weight: samples as f64 })
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        Some(Box::new(Pointwise::new(Function::Absolute, prediction, self.reduction)))
    }
}
