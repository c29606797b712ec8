//! Mean squared error.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec_kernels::squared_error::SquaredError;

use super::{Loss, LossKernel, LossSum, Reduction, check_targets};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::shape::Elements;
use crate::shape::{CheckResult, Shape, Values};

/// Computes the squared difference of prediction and target, averaged over the values of a sample and over the
/// samples.
///
/// Prediction and target must have the same shape; nothing broadcasts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanSquaredError {
    /// Mean or sum; the mean by default.
    pub reduction: Reduction,
}

/// [`MeanSquaredError`](struct@MeanSquaredError) with every key at its default.
#[allow(non_upper_case_globals)]
pub const MeanSquaredError: MeanSquaredError = MeanSquaredError::DEFAULT;

impl MeanSquaredError {
    /// Accepts every value.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }
}

impl Config for MeanSquaredError {
    const NAME: &'static str = "MeanSquaredError";
    const DEFAULT: Self = Self { reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl<const N: usize> Loss<Values<N>, Values<N>> for MeanSquaredError {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let (samples, values) = prediction.dims2()?;
        let squares = (prediction - target)?.sqr()?.sum_all()?;
        Ok(LossSum { sum: self.reduction.over(&squares, values)?, weight: samples as f64 })
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        Some(Box::new(Rows { values: prediction.elements(), reduction: self.reduction }))
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }
}

/// The loss as a kernel.
struct Rows {
    values: usize,
    reduction: Reduction,
}

impl LossKernel for Rows {
    fn sum(&self, prediction: &[f32], target: &Elements, gradient: Option<&mut [f32]>) -> Result<(f64, f64)> {
        let Elements::Float(targets) = target else {
            return Err(Error::Internal(
                "mean squared error received targets that are not floating-point values",
            ));
        };
        check_targets(prediction.len(), targets.len())?;
        let samples = targets.len() / self.values.max(1);
        let kernel = match self.reduction {
            Reduction::Mean => SquaredError { rows: samples, columns: self.values },
            // Each value is a separate row.
            Reduction::Sum => SquaredError { rows: targets.len(), columns: 1 },
        };
        let sum = match gradient {
            Some(gradient) => kernel.forward_backward(prediction, targets, gradient),
            None => kernel.forward(prediction, targets),
        };
        Ok((sum, samples as f64))
    }
}
