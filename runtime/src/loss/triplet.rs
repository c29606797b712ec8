//! The triplet loss.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::embeddings::{distance, embedding, signs};
use super::{Loss, LossSum, Reduction};
use crate::config::Config;
use crate::error::Result;
use crate::shape::{CheckError, CheckResult, Class, Embeddings};

/// Computes how much nearer to an anchor one embedding should be than another.
///
/// The model's output is [`Embeddings<3, D>`](crate::Embeddings): the anchor and two others. The target states which of these belongs
/// to the anchor: class 0 is the first, class 1 the second. With the Euclidean distances `d` from the anchor, the loss is
/// `max(0, d(that) - d(the other) + margin)`; the mean is over samples. Data in the usual order of anchor, positive and
/// negative have 0 as every target.
///
/// ```
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Compared(anchor: Features<3>, a: Features<3>, b: Features<3>) -> Embeddings<3, 4> {
///     let tower = linear(out = 4);
///     let anchor = anchor.tower();
///     let a = a.tower();
///     let b = b.tower();
///     anchor.stack(a).concat(b.reshape(to = [1, 4]), axis = 0)
/// }
///
/// assert_eq!(Compared::graph()?.trained_elements(), 3 * 4 + 4);
/// # Ok::<(), trainspec::Error>(())
/// ```
///
/// # Source
/// Schroff et al., "`FaceNet`", 2015; PyTorch's `TripletMarginLoss`, which does not square the distances either.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triplet {
    /// By how much the distances should differ, above 0; 1 by default.
    pub margin: f64,
    /// Mean or sum; the mean by default.
    pub reduction: Reduction,
}

/// [`Triplet`](struct@Triplet) with every key at its default.
#[allow(non_upper_case_globals)]
pub const Triplet: Triplet = Triplet::DEFAULT;

impl Triplet {
    /// Checks the range of `margin`.
    pub const fn check(&self) -> CheckResult {
        if self.margin as f32 > 0.0 && (self.margin as f32).is_finite() {
            return Ok(());
        }
        Err(CheckError::new("margin is ").float(self.margin).text("; expected a finite number above 0"))
    }
}

impl Config for Triplet {
    const NAME: &'static str = "Triplet";
    const DEFAULT: Self = Self { margin: 1.0, reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl<const D: usize> Loss<Embeddings<3, D>, Class<2>> for Triplet {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let anchor = embedding(prediction, 0)?;
        let far = (distance(&anchor, &embedding(prediction, 1)?)?
            - distance(&anchor, &embedding(prediction, 2)?)?)?;
        let signs = signs(target, &far)?;
        let sum = (far * signs)?.affine(1.0, self.margin)?.relu()?.sum_all()?;
        Ok(LossSum { sum, weight: prediction.dim(0)? as f64 })
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }
}
