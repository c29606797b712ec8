//! The negative log-likelihood of a normal distribution.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec_kernels::gaussian_loss::GaussianLoss;

use super::{Loss, LossKernel, LossSum, Reduction, check_targets};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::shape::{CheckError, CheckResult, Elements, Gaussians, Shape, Values};

/// Computes the negative log-likelihood of values under normal distributions whose means and variances the model predicts.
///
/// With a mean `m`, a log-variance `s` and a target `t`, a value's loss is `(s + (t - m)^2 exp(-s)) / 2`, without the constant
/// `ln(2 pi) / 2`; averaged over the values of a sample and over the samples. A variance below
/// [`min_variance`](Self::min_variance) counts as that in the loss and in its slopes.
///
/// The model's output is [`Gaussians<N>`](crate::Gaussians), the means and the log-variances:
///
/// ```
/// use trainspec::data::InMemory;
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Net(x: Features<3>) -> Gaussians<2> {
///     x.linear(out = 8).tanh().linear(out = 4).reshape(to = [2, 2])
/// }
///
/// train! {
///     Uncertain {
///         model: Net,
///         data: InMemory::<Features<3>, Values<2>>::new(vec![0.5; 120], vec![1.0; 80]),
///         loss: GaussianNegativeLogLikelihood,
///         steps: 2,
///     }
/// }
/// # Uncertain::experiment().without_folder().run()?;
/// # Ok::<(), trainspec::Error>(())
/// ```
///
/// # Source
/// Nix and Weigend, "Estimating the mean and variance of the target probability distribution", 1994; PyTorch's
/// `GaussianNLLLoss`, which takes the variance instead of its logarithm.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianNegativeLogLikelihood {
    /// The smallest variance, above 0; 1e-6 by default.
    pub min_variance: f64,
    /// Mean or sum; the mean by default.
    pub reduction: Reduction,
}

/// [`GaussianNegativeLogLikelihood`](struct@GaussianNegativeLogLikelihood) with every key at its default.
#[allow(non_upper_case_globals)]
pub const GaussianNegativeLogLikelihood: GaussianNegativeLogLikelihood =
    GaussianNegativeLogLikelihood::DEFAULT;

impl GaussianNegativeLogLikelihood {
    /// Checks the range of `min_variance`.
    pub const fn check(&self) -> CheckResult {
        // Its inverse is also finite in f32.
        if self.min_variance >= 1e-30 && self.min_variance <= 1e30 {
            return Ok(());
        }
        Err(CheckError::new("min_variance is ")
            .float(self.min_variance)
            .text("; expected a number from 1e-30 to 1e30"))
    }
}

impl Config for GaussianNegativeLogLikelihood {
    const NAME: &'static str = "GaussianNegativeLogLikelihood";
    const DEFAULT: Self = Self { min_variance: 1e-6, reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl<const N: usize> Loss<Gaussians<N>, Values<N>> for GaussianNegativeLogLikelihood {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let (samples, _, values) = prediction.dims3()?;
        let (mean, log_variance) =
            (prediction.narrow(1, 0, 1)?.squeeze(1)?, prediction.narrow(1, 1, 1)?.squeeze(1)?);
        let at = log_variance.detach();
        let raised = (at.maximum(self.min_variance.ln())? - &at)?;
        let log_variance = (log_variance + raised)?;
        let errors = ((target - mean)?.sqr()? * log_variance.neg()?.exp()?)?;
        let sum = ((log_variance + errors)?.sum_all()? * 0.5)?;
        Ok(LossSum { sum: self.reduction.over(&sum, values)?, weight: samples as f64 })
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        let columns = prediction.last();
        let floor = self.min_variance.ln() as f32;
        Some(Box::new(Rows { columns, floor, scale: self.reduction.scale(columns) }))
    }
}

/// The loss as a kernel.
struct Rows {
    /// The number of values of a sample.
    columns: usize,
    /// The smallest log-variance.
    floor: f32,
    scale: f64,
}

impl LossKernel for Rows {
    fn sum(&self, prediction: &[f32], target: &Elements, gradient: Option<&mut [f32]>) -> Result<(f64, f64)> {
        let Self { columns, floor, scale } = *self;
        let Elements::Float(targets) = target else {
            return Err(Error::Internal("a loss received targets of the wrong type"));
        };
        let rows = prediction.len() / (2 * columns).max(1);
        check_targets(rows * columns, targets.len())?;
        let kernel = GaussianLoss { rows, columns, floor, scale };
        let sum = match gradient {
            Some(gradient) => kernel.forward_backward(prediction, targets, gradient),
            None => kernel.forward(prediction, targets),
        };
        Ok((sum, rows as f64))
    }
}
