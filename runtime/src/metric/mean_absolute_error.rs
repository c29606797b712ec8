//! Mean absolute error.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::{Direction, Metric};
use crate::config::Config;
use crate::error::Result;
use crate::loss::Reduction;
use crate::shape::{Values, Verdict};

/// The distance between prediction and target, averaged over the values of a sample and over the samples: a metric,
/// and a [loss](crate::loss).
///
/// As a loss it has the slope 0 where prediction and target are equal (PyTorch's `L1Loss`).
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanAbsoluteError {
    /// Of the loss, mean or sum; of the metric, whether the values of a sample are added up. The mean by default.
    pub reduction: Reduction,
}

/// [`MeanAbsoluteError`](struct@MeanAbsoluteError) with every key at its default.
#[allow(non_upper_case_globals)]
pub const MeanAbsoluteError: MeanAbsoluteError = MeanAbsoluteError::DEFAULT;

impl MeanAbsoluteError {
    /// There is nothing to check.
    pub const fn check(&self) -> Verdict {
        Ok(())
    }
}

impl Config for MeanAbsoluteError {
    const NAME: &'static str = "MeanAbsoluteError";
    const DEFAULT: Self = Self { reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> Verdict = Self::check;
}

impl<const N: usize> Metric<Values<N>, Values<N>> for MeanAbsoluteError {
    const LABEL: &'static str = "mean_absolute_error";
    const DIRECTION: Direction = Direction::Lower;

    fn measure(&self, prediction: &Tensor, target: &Tensor) -> Result<(f64, f64)> {
        let (samples, values) = prediction.dims2()?;
        let predictions = prediction.flatten_all()?.to_vec1::<f32>()?;
        let targets = target.flatten_all()?.to_vec1::<f32>()?;
        let distance: f64 = predictions.iter().zip(&targets).map(|(p, t)| f64::from((p - t).abs())).sum();
        let values = if self.reduction == Reduction::Sum { 1 } else { values.max(1) };
        Ok((distance / values as f64, samples as f64))
    }
}
