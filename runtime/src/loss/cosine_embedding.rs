//! The cosine embedding loss.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use trainspec_kernels::cosine_loss::CosineLoss;

use super::classes::Counting;
use super::embeddings::{cosine, embedding};
use super::{Loss, LossKernel, LossSum, Reduction};
use crate::config::Config;
use crate::error::Result;
use crate::shape::{CheckError, CheckResult, Class, Elements, Embeddings, Shape};

/// Computes how far the angle between two embeddings is from what it should be.
///
/// With the cosine `c` of the angle, the loss of a similar pair, a target of 1, is `1 - c`, and that of a different pair, a target of
/// 0, is `max(0, c - margin)`; the mean is over the pairs. PyTorch calls the two targets 1 and -1.
///
/// The model's output is [`Embeddings<2, D>`](crate::Embeddings):
///
/// ```
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Pair(a: Features<3>, b: Features<3>) -> Embeddings<2, 4> {
///     let tower = linear(out = 4);
///     let a = a.tower();
///     a.stack(b.tower())
/// }
///
/// assert_eq!(Pair::graph()?.trained_elements(), 3 * 4 + 4);
/// # Ok::<(), trainspec::Error>(())
/// ```
///
/// # Source
/// PyTorch's `CosineEmbeddingLoss`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineEmbedding {
    /// The cosine up to which a different pair has no loss, from -1 to 1; 0 by default.
    pub margin: f64,
    /// Mean or sum; the mean by default.
    pub reduction: Reduction,
}

/// [`CosineEmbedding`](struct@CosineEmbedding) with every key at its default.
#[allow(non_upper_case_globals)]
pub const CosineEmbedding: CosineEmbedding = CosineEmbedding::DEFAULT;

impl CosineEmbedding {
    /// Checks the range of `margin`.
    pub const fn check(&self) -> CheckResult {
        if self.margin >= -1.0 && self.margin <= 1.0 {
            return Ok(());
        }
        Err(CheckError::new("margin is ")
            .float(self.margin)
            .text("; expected a number from -1 to 1, a cosine"))
    }
}

impl Config for CosineEmbedding {
    const NAME: &'static str = "CosineEmbedding";
    const DEFAULT: Self = Self { margin: 0.0, reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl<const D: usize> Loss<Embeddings<2, D>, Class<2>> for CosineEmbedding {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let cosine = cosine(&embedding(prediction, 0)?, &embedding(prediction, 1)?)?;
        let similar = cosine.affine(-1.0, 1.0)?;
        let different = cosine.affine(1.0, -self.margin)?.relu()?;
        let sum = target.eq(1_u32)?.where_cond(&similar, &different)?.sum_all()?;
        Ok(LossSum { sum, weight: prediction.dim(0)? as f64 })
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        Some(Box::new(Pairs { size: prediction.last(), margin: self.margin as f32 }))
    }
}

/// The loss as a kernel.
struct Pairs {
    /// The length of an embedding.
    size: usize,
    margin: f32,
}

impl LossKernel for Pairs {
    fn sum(&self, prediction: &[f32], target: &Elements, gradient: Option<&mut [f32]>) -> Result<(f64, f64)> {
        let Self { size, margin } = *self;
        let rows = prediction.len() / (2 * size).max(1);
        let targets = Counting::ALL.check(target, rows, 2)?;
        let kernel = CosineLoss { rows, size, margin };
        let sum = match gradient {
            Some(gradient) => kernel.forward_backward(prediction, targets, gradient),
            None => kernel.forward(prediction, targets),
        };
        Ok((sum, rows as f64))
    }
}
