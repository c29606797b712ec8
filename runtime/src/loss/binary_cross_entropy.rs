//! Binary cross entropy from logits.

use candle_core::{DType, Tensor};
use candle_nn::ops::sigmoid;
use serde::{Deserialize, Serialize};
use trainspec_kernels::pointwise_loss::Function;

use super::list::{check_weights, leaked, singles};
use super::pointwise::{Expects, Pointwise};
use super::{BadTarget, Loss, LossKernel, LossSum, Reduction};
use crate::config::Config;
use crate::error::Result;
use crate::keys::Facts;
use crate::shape::{CheckResult, Class, Labels, Logits, Shape};

/// Computes the binary cross entropy from logits, for each label of a sample independently.
///
/// With `p = sigmoid(z)`, the loss of a label is `-w t ln p - (1 - t) ln(1 - p)`, with the target `t` from 0 to 1 and the
/// weight `w` of [`pos_weight`](Self::pos_weight); averaged over the labels of a sample and over the samples. The model
/// must output logits, without a sigmoid before this loss.
///
/// The target is [`Labels<N>`](crate::Labels) for a model with output `Logits<N>`, or `Class<2>` for one with output
/// `Logits<1>`, the logit of class 1.
///
/// # Errors
/// When the program starts: if a target is not a probability, or if `pos_weight` has another length than there are labels.
///
/// # Source
/// PyTorch's `BCEWithLogitsLoss`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinaryCrossEntropy {
    /// The weight of targets that are 1, one value of 0 or more for each label: `&[5.0]`. For rare labels, the number of 0s
    /// divided by the number of 1s balances the two. Empty, the default, is 1 for all.
    #[serde(deserialize_with = "leaked")]
    pub pos_weight: &'static [f64],
    /// Mean or sum; the mean by default.
    pub reduction: Reduction,
}

/// [`BinaryCrossEntropy`](struct@BinaryCrossEntropy) with every key at its default.
#[allow(non_upper_case_globals)]
pub const BinaryCrossEntropy: BinaryCrossEntropy = BinaryCrossEntropy::DEFAULT;

impl BinaryCrossEntropy {
    /// Checks the range of the weights.
    pub const fn check(&self) -> CheckResult<Facts> {
        check_weights("pos_weight", self.pos_weight)
    }

    /// `logits` and `target` are `[batch, labels]`.
    fn rows(self, logits: &Tensor, target: &Tensor) -> Result<LossSum> {
        let (samples, labels) = logits.dims2()?;
        let mut of_ones = (target * softplus(&logits.neg()?)?)?;
        if !self.pos_weight.is_empty() {
            let weights = Tensor::from_vec(singles(self.pos_weight), (1, labels), logits.device())?;
            of_ones = of_ones.broadcast_mul(&weights.to_dtype(logits.dtype())?)?;
        }
        let of_zeros = (target.affine(-1.0, 1.0)? * softplus(logits)?)?;
        let sum = (of_ones + of_zeros)?.sum_all()?;
        Ok(LossSum { sum: self.reduction.over(&sum, labels)?, weight: samples as f64 })
    }

    fn form(self, prediction: Shape, expects: Expects) -> Pointwise {
        let function = Function::Logistic { weights: &[] };
        Pointwise::new(function, prediction, self.reduction).of(expects).weighted(self.pos_weight)
    }
}

/// Computes `ln(1 + exp(x))` from `exp(-|x|)`, which cannot overflow, and an `ln(1 + e)` that is accurate for small `e`. The
/// gradient is computed separately, since that of a maximum is ambiguous at 0.
pub(super) fn softplus(x: &Tensor) -> Result<Tensor> {
    let at = x.detach();
    let e = at.abs()?.neg()?.exp()?;
    let sum = (&e + 1.0)?;
    let log = (sum.log()? + ((&e - (&sum - 1.0)?)? / &sum)?)?;
    let value = (at.relu()? + log)?;
    Ok(((x - &at)? * sigmoid(&at)?)?.add(&value)?)
}

impl Config for BinaryCrossEntropy {
    const NAME: &'static str = "BinaryCrossEntropy";
    const DEFAULT: Self = Self { pos_weight: &[], reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl<const N: usize> Loss<Logits<N>, Labels<N>> for BinaryCrossEntropy {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        self.rows(prediction, target)
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn fits(&self) -> CheckResult {
        self.check()?.fits(N, "labels")
    }

    fn accepts(&self, target: &[f32]) -> Result<(), BadTarget> {
        BadTarget::unless_probabilities(target)
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        Some(Box::new(self.form(prediction, Expects::Probability)))
    }
}

impl Loss<Logits<1>, Class<2>> for BinaryCrossEntropy {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        self.rows(prediction, &one_of_two(target, prediction.dtype())?)
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn fits(&self) -> CheckResult {
        self.check()?.fits(1, "logits")
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        Some(Box::new(self.form(prediction, Expects::Class)))
    }
}

/// Converts classes `[batch]` of two to values `[batch, 1]`.
pub(super) fn one_of_two(target: &Tensor, dtype: DType) -> Result<Tensor> {
    Ok(target.to_dtype(dtype)?.unsqueeze(1)?)
}
