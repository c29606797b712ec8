//! The Kullback-Leibler divergence.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec_kernels::pointwise_loss::Function;

use super::pointwise::{Expects, Pointwise};
use super::{Loss, LossKernel, LossSum, Reduction};
use crate::config::Config;
use crate::error::Result;
use crate::shape::{LogProbabilities, Probabilities, Shape, Verdict};

/// How far the model's distribution is from the target's.
///
/// With log-probabilities `y` of the model and probabilities `t` of the data, a sample's loss is
/// `sum_k t_k (ln t_k - y_k)`, in which a `t_k` of 0 counts for nothing; the mean is over samples (PyTorch's
/// `batchmean`; its `mean`, over the classes too, is not the divergence). The model must end in log-probabilities: a
/// `log_softmax` before this loss.
///
/// # Errors
/// `the target 2 is no probability; expected 0 to 1`, in a step.
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
    /// There is nothing to check.
    pub const fn check(&self) -> Verdict {
        Ok(())
    }
}

impl Config for KlDivergence {
    const NAME: &'static str = "KlDivergence";
    const DEFAULT: Self = Self { reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> Verdict = Self::check;
}

impl<const C: usize> Loss<LogProbabilities<C>, Probabilities<C>> for KlDivergence {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let terms = (target * (target.log()? - prediction)?)?;
        let sum = target.ne(0.0)?.where_cond(&terms, &terms.zeros_like()?)?.sum_all()?;
        Ok(LossSum { sum, weight: prediction.dim(0)? as f64 })
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        let kernel = Pointwise::new(Function::Divergence, prediction, self.reduction);
        Some(Box::new(kernel.of(Expects::Probability).summed()))
    }
}
