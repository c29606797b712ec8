//! The Kullback-Leibler divergence.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec_kernels::pointwise_loss::Function;

use super::pointwise::{Expects, Pointwise};
use super::{BadTarget, Loss, LossKernel, LossSum, Reduction};
use crate::config::Config;
use crate::error::Result;
use crate::shape::{CheckResult, LogProbabilities, Probabilities, Shape};

/// Computes the Kullback-Leibler divergence of the model's distribution from the target's.
///
/// With log-probabilities `y` of the model and probabilities `t` of the data, a sample's loss is
/// `sum_k t_k (ln t_k - y_k)`, where terms with a `t_k` of 0 are 0; the mean is over samples (PyTorch's
/// `batchmean`; its `mean`, over the classes too, is not the divergence). The model must output log-probabilities,
/// with `log_softmax` as its last layer.
///
/// # Errors
/// When the program starts: if a target is not a distribution. Each value must be from 0 to 1, and their sum 1 to within 0.01,
/// which allows for probabilities that were rounded to few decimals.
///
/// # Source
/// Kullback and Leibler, "On information and sufficiency", 1951; PyTorch's `KLDivLoss`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KlDivergence {
    /// Mean or sum over the samples; the mean by default.
    pub reduction: Reduction,
}

/// [`KlDivergence`](struct@KlDivergence) with every key at its default.
#[allow(non_upper_case_globals)]
pub const KlDivergence: KlDivergence = KlDivergence::DEFAULT;

impl KlDivergence {
    /// Accepts every value.
    pub const fn check(&self) -> CheckResult {
        Ok(())
    }
}

impl Config for KlDivergence {
    const NAME: &'static str = "KlDivergence";
    const DEFAULT: Self = Self { reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

/// How far the sum of a target's probabilities may be from 1. Three times 0.33 in f32 is accepted.
const TOLERANCE: f64 = 0.010_01;

impl<const C: usize> Loss<LogProbabilities<C>, Probabilities<C>> for KlDivergence {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let terms = (target * (target.log()? - prediction)?)?;
        let sum = target.ne(0.0)?.where_cond(&terms, &terms.zeros_like()?)?.sum_all()?;
        Ok(LossSum { sum, weight: prediction.dim(0)? as f64 })
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn accepts(&self, target: &[f32]) -> Result<(), BadTarget> {
        BadTarget::unless_probabilities(target)?;
        let sum: f64 = target.iter().map(|&probability| f64::from(probability)).sum();
        if (sum - 1.0).abs() <= TOLERANCE {
            return Ok(());
        }
        Err(BadTarget::new(
            format!("the sum of the target is {sum:.4}"),
            "probabilities whose sum is 1; divide each by their sum",
        ))
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        let kernel = Pointwise::new(Function::Divergence, prediction, self.reduction);
        Some(Box::new(kernel.of(Expects::Probability).summed()))
    }
}
