//! Mean absolute error as a loss; as a metric it stands in [`crate::metric`].

use candle_core::Tensor;
use trainspec_kernels::pointwise_loss::Function;

use super::pointwise::Pointwise;
use super::{Loss, LossKernel, LossSum, Reduction};
use crate::error::Result;
use crate::metric::MeanAbsoluteError;
use crate::shape::{Shape, Values};

/// `|e|`, whose slope at 0 is 0.
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
