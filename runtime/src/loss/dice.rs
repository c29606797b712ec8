//! The Dice loss.

use candle_core::{D, Tensor};
use candle_nn::ops::{log_softmax, sigmoid};
use serde::{Deserialize, Serialize};

use super::{BadTarget, Loss, LossSum, Reduction};
use crate::config::Config;
use crate::error::Result;
use crate::shape::{CheckError, CheckResult, ClassMap, Labels, LogitMap, Logits};

/// Computes how little the predicted and the true labels or classes of a sample overlap, for masks of which few elements are 1.
///
/// With `p = sigmoid(z)` and the targets `t` from 0 to 1, a sample's loss is
/// `1 - (2 sum p t + smooth) / (sum p + sum t + smooth)`, with the sums over the labels of that sample; the mean is over
/// samples. A sum over the whole batch, which is also in use, would make the loss of a sample depend on the others of its
/// micro-batch. The model must output logits, without a sigmoid before this loss.
///
/// The target is [`Labels<N>`](crate::Labels), such as the pixels of a mask, for a model with output `Logits<N>`, or
/// [`ClassMap<C, H, W>`](crate::ClassMap) for one with output `LogitMap<C, H, W>`. For a map, `p` is the softmax over the classes, `t` is 1
/// for the class of the pixel and 0 for the others, and a sample's loss is the mean over all `C` classes, each with its sums over the pixels of
/// that sample.
///
/// # Errors
/// When the program starts: if a target is not from 0 to 1, or if `ignore_index` is set for `Labels<N>`.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Segment(image: Image<1, 8, 8>) -> LogitMap<2, 8, 8> {
///     image.conv2d(out = 4, kernel = 3, padding = 1).relu().conv2d(out = 2, kernel = 1)
/// }
///
/// train! {
///     Masks {
///         model: Segment,
///         data: trainspec::data::InMemory::<Image<1, 8, 8>, ClassMap<2, 8, 8>>::new(vec![0.5; 64 * 40], [0, 1].repeat(32 * 40)),
///         loss: Dice { smooth: 1e-3 },
///         metrics: [Iou],
///         steps: 2,
///     }
/// }
/// # Masks::experiment().without_folder().run()?;
/// # Ok::<(), trainspec::Error>(())
/// ```
///
/// # Source
/// Milletari et al., "V-Net", 2016, with sums in the denominator instead of squares, as in Sudre et al. 2017.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dice {
    /// A number above 0 in both parts of the fraction, so that an empty mask has a loss of about 0 if nothing is predicted; 1 by default.
    pub smooth: f64,
    /// A class of a map that is ignored: its pixels are in none of the sums, nor in the metrics. It does not have to be one of the classes,
    /// such as `Some(255)` for unlabeled pixels. A sample with only ignored pixels is not counted. `None` by default, and for `Labels<N>`.
    pub ignore_index: Option<u32>,
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
    const DEFAULT: Self = Self { smooth: 1.0, ignore_index: None, reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = Self::check;
}

impl Dice {
    /// The losses of samples, from the sums over their pixels of `p t`, `p` and `t`.
    fn losses(self, both: &Tensor, predicted: &Tensor, actual: &Tensor) -> Result<Tensor> {
        let both = both.affine(2.0, self.smooth)?;
        let either = (predicted + actual)?.affine(1.0, self.smooth)?;
        Ok((both / either)?.affine(-1.0, 1.0)?)
    }
}

impl<const N: usize> Loss<Logits<N>, Labels<N>> for Dice {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let samples = prediction.dim(0)?;
        let p = sigmoid(prediction)?;
        let losses = self.losses(&(&p * target)?.sum(1)?, &p.sum(1)?, &target.sum(1)?)?;
        Ok(LossSum { sum: losses.sum_all()?, weight: samples as f64 })
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn fits(&self) -> CheckResult {
        match self.ignore_index {
            None => Ok(()),
            Some(class) => Err(CheckError::new("ignore_index is ")
                .number(class as usize)
                .text(", but the targets are labels, which have no class to ignore; expected `None`, or targets of the kind `ClassMap`")),
        }
    }

    fn accepts(&self, target: &[f32]) -> Result<(), BadTarget> {
        BadTarget::unless_probabilities(target)
    }
}

/// Each class is a mask; the pixels of a sample are summed, and the losses of its classes averaged.
impl<const C: usize, const H: usize, const W: usize> Loss<LogitMap<C, H, W>, ClassMap<C, H, W>> for Dice {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        let (samples, dtype) = (prediction.dim(0)?, prediction.dtype());
        let pixels = prediction.flatten_from(2)?;
        let targets = target.flatten_from(1)?.unsqueeze(1)?;
        let classes = Tensor::arange(0, C as u32, pixels.device())?.reshape((1, C, 1))?;
        let t = targets.broadcast_eq(&classes)?.to_dtype(dtype)?;
        let (p, t, weight) = match self.ignore_index {
            None => (log_softmax(&pixels, 1)?.exp()?, t, samples as f64),
            Some(ignored) => {
                let kept = targets.ne(ignored)?;
                // The logits of an ignored pixel may be NaN.
                let is_kept = kept.broadcast_as(pixels.shape())?.contiguous()?;
                let pixels = is_kept.where_cond(&pixels, &pixels.zeros_like()?)?;
                let kept = kept.to_dtype(dtype)?;
                let p = log_softmax(&pixels, 1)?.exp()?.broadcast_mul(&kept)?;
                let weight = counted(&target.flatten_all()?.to_vec1::<u32>()?, H * W, ignored);
                (p, t.broadcast_mul(&kept)?, weight)
            }
        };
        let sum = |x: &Tensor| x.sum(D::Minus1);
        let losses = self.losses(&sum(&(&p * &t)?)?, &sum(&p)?, &sum(&t)?)?;
        // Without a pixel that counts, both parts of the fraction are `smooth`, and the loss and its slopes are 0.
        Ok(LossSum { sum: (losses.sum_all()? / C.max(1) as f64)?, weight })
    }

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn ignored(&self) -> Option<u32> {
        self.ignore_index
    }

    fn weight(&self, targets: &[u32], samples: usize) -> f64 {
        match self.ignore_index {
            None => samples as f64,
            Some(ignored) => counted(targets, H * W, ignored),
        }
    }
}

/// The number of samples of `pixels` targets each of which one is not ignored.
fn counted(targets: &[u32], pixels: usize, ignored: u32) -> f64 {
    targets.chunks(pixels.max(1)).filter(|sample| sample.iter().any(|&class| class != ignored)).count() as f64
}
