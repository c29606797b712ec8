//! Mean squared error.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::{Loss, LossSum};
use crate::config::Config;
use crate::error::Result;
use crate::shape::{Values, Verdict};

/// The squared distance between prediction and target, averaged over the values of a sample and over the
/// samples.
///
/// Prediction and target have exactly one shape; nothing broadcasts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanSquaredError {}

/// [`MeanSquaredError`](struct@MeanSquaredError) with every key at its default.
#[allow(non_upper_case_globals)]
pub const MeanSquaredError: MeanSquaredError = MeanSquaredError::DEFAULT;

impl MeanSquaredError {
    /// There is nothing to check.
    pub const fn check(&self) -> Verdict {
        Ok(())
    }
}

impl Config for MeanSquaredError {
    const NAME: &'static str = "MeanSquaredError";
    const DEFAULT: Self = Self {};
    const CHECK: fn(&Self) -> Verdict = Self::check;
}

impl<const N: usize> Loss<Values<N>, Values<N>> for MeanSquaredError {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let (samples, values) = prediction.dims2()?;
        let squares = (prediction - target)?.sqr()?.sum_all()?;
        Ok(LossSum { sum: (squares / values.max(1) as f64)?, weight: samples as f64 })
    }
}
