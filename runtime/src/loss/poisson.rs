//! The negative log-likelihood of a Poisson distribution.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec_kernels::pointwise_loss::Function;

use super::pointwise::Pointwise;
use super::{BadTarget, Loss, LossKernel, LossSum, Reduction};
use crate::config::Config;
use crate::error::Result;
use crate::shape::{CheckResult, Shape, Values};

/// Computes the negative log-likelihood of counts under Poisson distributions whose log-rates the model predicts.
///
/// With a log-rate `y` and a count `t`, a value's loss is `exp(y) - t y`, without the constant `ln t!`; averaged over the values of a
/// sample and over the samples. It is lowest at `y = ln t`. A fractional target is a mean of counts.
///
/// # Errors
/// When the program starts: if a target is below 0.
///
/// # Example
/// ```
/// use trainspec::data::InMemory;
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Visits(x: Features<3>) -> Values<1> {
///     x.linear(out = 1)
/// }
///
/// train! {
///     Counts {
///         model: Visits,
///         data: InMemory::<Features<3>, Values<1>>::new(vec![0.5; 120], vec![2.0; 40]),
///         loss: PoissonNegativeLogLikelihood,
///         steps: 2,
///     }
/// }
/// # Counts::experiment().without_folder().run()?;
/// # Ok::<(), trainspec::Error>(())
/// ```
///
/// # Source
/// Nelder and Wedderburn, "Generalized linear models", 1972; PyTorch's `PoissonNLLLoss` with `log_input`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoissonNegativeLogLikelihood {
    /// Mean or sum; the mean by default.
    pub reduction: Reduction,
}

/// [`PoissonNegativeLogLikelihood`](struct@PoissonNegativeLogLikelihood) with every key at its default.
#[allow(non_upper_case_globals)]
pub const PoissonNegativeLogLikelihood: PoissonNegativeLogLikelihood = PoissonNegativeLogLikelihood::DEFAULT;

impl PoissonNegativeLogLikelihood {
    /// Accepts every value.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }
}

impl Config for PoissonNegativeLogLikelihood {
    const NAME: &'static str = "PoissonNegativeLogLikelihood";
    const DEFAULT: Self = Self { reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl<const N: usize> Loss<Values<N>, Values<N>> for PoissonNegativeLogLikelihood {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let (samples, values) = prediction.dims2()?;
        let sum = (prediction.exp()? - (prediction * target)?)?.sum_all()?;
        Ok(LossSum { sum: self.reduction.over(&sum, values)?, weight: samples as f64 })
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn accepts(&self, target: &[f32]) -> Result<(), BadTarget> {
        BadTarget::unless(target, |count| *count >= 0.0, "a count of 0 or more")
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        Some(Box::new(Pointwise::new(Function::Poisson, prediction, self.reduction)))
    }
}
