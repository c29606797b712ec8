//! The `InfoNCE` loss.

use candle_core::Tensor;
use candle_nn::ops::log_softmax;
use serde::{Deserialize, Serialize};

use super::embeddings::{cosine, embedding};
use super::{Loss, LossSum, Reduction};
use crate::config::Config;
use crate::error::Result;
use crate::shape::{CheckError, CheckResult, Class, Embeddings};

/// Computes the cross entropy of which candidate belongs to an anchor, with their cosines as scores.
///
/// The model's output is [`Embeddings<K, D>`](crate::Embeddings): the anchor and `K - 1` candidates. The target is the index of the
/// candidate that belongs to the anchor, from 0: `Class<C>` with `C = K - 1`. With the cosines `c` between the anchor and the candidates,
/// the loss is `-ln(exp(c_t / temperature) / sum_k exp(c_k / temperature))`; the mean is over samples.
///
/// Every sample has its own candidates. The form that contrasts the samples of a micro-batch with each other is not this loss: there, the
/// loss of a sample depends on the others, so that `accumulate` and the evaluation would change its meaning.
///
/// # Errors
/// When the program starts: if there are not `K - 1` classes.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// assert!(InfoNce { temperature: 0.07, ..trainspec::Config::DEFAULT }.check().is_ok());
/// ```
///
/// # Source
/// Van den Oord et al., "Representation learning with contrastive predictive coding", 2018; the temperature as in Chen et al.,
/// "`SimCLR`", 2020.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InfoNce {
    /// The divisor of the cosines, at least 1e-3; 0.1 by default.
    pub temperature: f64,
    /// Mean or sum; the mean by default.
    pub reduction: Reduction,
}

/// [`InfoNce`](struct@InfoNce) with every key at its default.
#[allow(non_upper_case_globals)]
pub const InfoNce: InfoNce = InfoNce::DEFAULT;

impl InfoNce {
    /// Checks the range of `temperature`.
    pub const fn check(&self) -> CheckResult {
        if self.temperature >= 1e-3 && self.temperature <= 1e3 {
            return Ok(());
        }
        Err(CheckError::new("temperature is ")
            .float(self.temperature)
            .text("; expected a number from 0.001 to 1000"))
    }
}

impl Config for InfoNce {
    const NAME: &'static str = "InfoNce";
    const DEFAULT: Self = Self { temperature: 0.1, reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl<const K: usize, const D: usize, const C: usize> Loss<Embeddings<K, D>, Class<C>> for InfoNce {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let (samples, all, _) = prediction.dims3()?;
        let candidates = prediction.narrow(1, 1, all.saturating_sub(1))?;
        let scores = cosine(&embedding(prediction, 0)?.unsqueeze(1)?, &candidates)?;
        let log_p = log_softmax(&(scores / self.temperature)?, 1)?;
        let sum = log_p.gather(&target.unsqueeze(1)?, 1)?.sum_all()?.neg()?;
        Ok(LossSum { sum, weight: samples as f64 })
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn fits(&self) -> CheckResult {
        if K >= 3 && C == K - 1 {
            return Ok(());
        }
        Err(CheckError::new("the model returns ")
            .number(K)
            .text(" embeddings, and the data have ")
            .number(C)
            .text(" classes; expected an anchor and at least 2 candidates, and a class for each candidate"))
    }
}
