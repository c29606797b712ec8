//! How the losses of a window are reduced.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// Selects whether training minimizes the mean or the sum of the losses of a window.
///
/// The mean is the default: the gradient of an accumulation window is the sum of its gradients over the sum of its
/// weights. With the sum, the gradients are not divided by the weights, so a larger batch takes larger
/// steps at the same learning rate; a loss that averages over the values of a sample also sums them.
///
/// Logs, evaluations and early stopping use the loss per sample (token, class weight) in both cases, so results for
/// batches of different sizes are comparable. The gradient norm is that of the minimized quantity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// The mean.
    #[default]
    #[serde(alias = "Mean")]
    Mean,
    /// The sum.
    #[serde(alias = "Sum")]
    Sum,
}

impl Reduction {
    /// Returns the factor for the losses of the `values` values of a sample.
    pub(super) fn scale(self, values: usize) -> f64 {
        match self {
            Self::Mean => 1.0 / values.max(1) as f64,
            Self::Sum => 1.0,
        }
    }

    /// Reduces the sum over all `values` of each sample.
    pub(super) fn over(self, sum: &Tensor, values: usize) -> Result<Tensor> {
        Ok(match self {
            Self::Mean => (sum / values.max(1) as f64)?,
            Self::Sum => sum.clone(),
        })
    }
}
