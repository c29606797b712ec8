//! What the samples of a window come to.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// What is minimized of the losses of a window: their mean or their sum.
///
/// The mean is the default: the gradient of an accumulation window is the sum of its gradients over the sum of its
/// weights. With the sum it is the plain sum, as though the weights came to 1, so that the learning rate means
/// less for larger batches; and a loss that averages over the values of a sample adds them up.
///
/// In logs, evaluations and early stopping stands the loss for each sample (token, class weight) either way, so that
/// numbers of batches of any size compare; the gradient norm is that of what is minimized.
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
    /// What the losses of `values` values of a sample are multiplied by.
    pub(super) fn scale(self, values: usize) -> f64 {
        match self {
            Self::Mean => 1.0 / values.max(1) as f64,
            Self::Sum => 1.0,
        }
    }

    /// The loss of samples, from the sum over all `values` of each.
    pub(super) fn over(self, sum: &Tensor, values: usize) -> Result<Tensor> {
        Ok(match self {
            Self::Mean => (sum / values.max(1) as f64)?,
            Self::Sum => sum.clone(),
        })
    }
}
