//! The Dice loss.

use candle_core::Tensor;
use candle_nn::ops::sigmoid;
use serde::{Deserialize, Serialize};

use super::{BadTarget, Loss, LossSum, Reduction};
use crate::config::Config;
use crate::error::Result;
use crate::shape::{CheckError, CheckResult, Labels, Logits};

/// Computes how little the predicted and the true labels of a sample overlap, for masks of which few elements are 1.
///
/// With `p = sigmoid(z)` and the targets `t` from 0 to 1, a sample's loss is
/// `1 - (2 sum p t + smooth) / (sum p + sum t + smooth)`, with the sums over the labels of that sample; the mean is over
/// samples. A sum over the whole batch, which is also in use, would make the loss of a sample depend on the others of its
/// micro-batch. The model must output logits, without a sigmoid before this loss.
///
/// The target is [`Labels<N>`](crate::Labels), such as the pixels of a mask, for a model with output `Logits<N>`.
///
/// # Errors
/// When the program starts: if a target is not from 0 to 1.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// assert!(Dice { smooth: 1e-3, ..trainspec::Config::DEFAULT }.check().is_ok());
/// ```
///
/// # Source
/// Milletari et al., "V-Net", 2016, with sums in the denominator instead of squares, as in Sudre et al. 2017.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dice {
    /// A number above 0 in both parts of the fraction, so that an empty mask has a loss of about 0 if nothing is predicted; 1 by default.
    pub smooth: f64,
    /// Mean or sum over the samples; the mean by default.
    pub reduction: Reduction,
}

/// [`Dice`](struct@Dice) with every key at its default.
#[allow(non_upper_case_globals)]
pub const Dice: Dice = Dice::DEFAULT;

impl Dice {
    /// Checks the range of `smooth`.
    pub const fn check(&self) -> CheckResult {
        // Also as f32, the type of the computation.
        if self.smooth as f32 > 0.0 && (self.smooth as f32).is_finite() {
            return Ok(());
        }
        Err(CheckError::new("smooth is ").float(self.smooth).text("; expected a finite number above 0"))
    }
}

impl Config for Dice {
    const NAME: &'static str = "Dice";
    const DEFAULT: Self = Self { smooth: 1.0, reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl<const N: usize> Loss<Logits<N>, Labels<N>> for Dice {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let samples = prediction.dim(0)?;
        let p = sigmoid(prediction)?;
        let both = (&p * target)?.sum(1)?.affine(2.0, self.smooth)?;
        let either = (p + target)?.sum(1)?.affine(1.0, self.smooth)?;
        let sum = (both / either)?.affine(-1.0, 1.0)?.sum_all()?;
        Ok(LossSum { sum, weight: samples as f64 })
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn accepts(&self, target: &[f32]) -> Result<(), BadTarget> {
        BadTarget::unless_probabilities(target)
    }
}
