//! The focal loss.

use candle_core::{D, Tensor};
use candle_nn::ops::log_softmax;
use serde::{Deserialize, Serialize};

use super::classes::{Counting, by_counting, nothing, pixels};
use super::list::{check_weights, leaked};
use super::places::Places;
use super::{Loss, LossKernel, LossSum, Reduction};
use crate::config::Config;
use crate::error::Result;
use crate::keys::Facts;
use crate::shape::{CheckError, CheckResult, Class, ClassMap, LogitMap, Logits, Shape, TokenLogits, Tokens};

/// Computes the cross entropy with less weight on samples that are already classified well.
///
/// With the probability `p` of the target class `c`, the softmax of the logits, a sample's loss is
/// `-w_c (1 - p)^gamma ln p`, and its weight in the mean is `w_c`: the mean is the sum of the losses over the sum of the weights.
/// With `gamma: 0.0` this is [`CrossEntropy`](struct@super::CrossEntropy). Each position of tokens and each pixel of a map counts like a sample.
/// The model must output logits.
/// [`BinaryFocal`](struct@super::BinaryFocal) is the form for labels.
///
/// # Example
/// ```
/// use trainspec::prelude::*;
///
/// #[model]
/// fn Net(image: Image<1, 8, 8>) -> Logits<10> {
///     image.flatten().linear(out = 10)
/// }
///
/// train! {
///     Digits { model: Net, data: Digits8x8::embedded(), loss: Focal { gamma: 1.5 }, steps: 2 }
/// }
/// # Digits::experiment().without_folder().run()?;
/// # Ok::<(), trainspec::Error>(())
/// ```
///
/// # Source
/// Lin et al., "Focal loss for dense object detection", 2017.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Focal {
    /// How much less a sample counts as its probability rises, from 0 to 100; 2 by default.
    pub gamma: f64,
    /// The weight of each class, one value of 0 or more for each: `&[1.0, 5.0]`. Empty, the default, is 1 for all.
    #[serde(deserialize_with = "leaked")]
    pub weights: &'static [f64],
    /// A target that is ignored, as in [`CrossEntropy`](struct@super::CrossEntropy). `None` by default.
    pub ignore_index: Option<u32>,
    /// Mean or sum; the mean by default.
    pub reduction: Reduction,
}

/// [`Focal`](struct@Focal) with every key at its default.
#[allow(non_upper_case_globals)]
pub const Focal: Focal = Focal::DEFAULT;

impl Focal {
    /// Checks the ranges of `gamma` and of the weights.
    pub const fn check(&self) -> CheckResult<Facts> {
        match check_gamma(self.gamma) {
            Ok(()) => check_weights("weights", self.weights),
            Err(problem) => Err(problem),
        }
    }

    fn counting(self) -> Counting {
        Counting { weights: self.weights, ignored: self.ignore_index }
    }

    fn places(self) -> Places {
        Places::new(self.counting()).focused(self.gamma)
    }

    /// `logits` is `[rows, classes]`, `classes` is `[rows]`.
    fn rows(self, logits: &Tensor, classes: &Tensor) -> Result<LossSum> {
        let Some(rows) = self.counting().rows(classes, logits.dtype())? else { return nothing(logits) };
        let log_p = log_softmax(&rows.of(logits)?, D::Minus1)?;
        let right = log_p.gather(&rows.classes.unsqueeze(1)?, 1)?.squeeze(1)?;
        let losses = focal(&right, self.gamma)?;
        let losses = match &rows.weights {
            Some(weights) => (losses * weights)?,
            None => losses,
        };
        Ok(LossSum { sum: losses.sum_all()?, weight: rows.weight })
    }
}

/// Checks the range of `gamma`.
pub(super) const fn check_gamma(gamma: f64) -> CheckResult {
    if gamma >= 0.0 && gamma <= 100.0 {
        return Ok(());
    }
    Err(CheckError::new("gamma is ").float(gamma).text("; expected a number from 0 to 100"))
}

/// Computes `-(1 - p)^gamma ln p` from `ln p`.
///
/// The slope by `ln p` is `(1 - p)^gamma (gamma p ln p / (1 - p) - 1)`. It is computed here, since the product rule has an infinite factor
/// where `p` is 1.
pub(super) fn focal(log_p: &Tensor, gamma: f64) -> Result<Tensor> {
    let at = log_p.detach();
    let p = at.exp()?;
    let rest = complement(&at)?;
    let is_sure = rest.eq(0.0)?;
    let ratio = is_sure.where_cond(&p.neg()?, &(&at / &rest)?)?;
    let factor = rest.powf(gamma)?;
    let slope = (&factor * ((p * ratio)? * gamma)?.affine(1.0, -1.0)?)?;
    // An infinite loss has the slope of the cross entropy.
    let slope = at.eq(f64::NEG_INFINITY)?.where_cond(&factor.neg()?, &slope)?;
    let value = (&factor * at.neg()?)?;
    Ok(((log_p - &at)? * slope)?.add(&value)?)
}

/// Computes `1 - exp(x)` for an `x` of at most 0, also where it is small: `-x (1 + x/2 (1 + x/3 (…)))`.
fn complement(x: &Tensor) -> Result<Tensor> {
    /// Below this, the first omitted term is less than the rounding of f64.
    const SMALL: f64 = -0.01;
    let mut series = x.ones_like()?;
    for divisor in (2..=7).rev() {
        series = ((x * series)? / f64::from(divisor))?.affine(1.0, 1.0)?;
    }
    let near = (x.neg()? * series)?;
    let far = x.exp()?.affine(-1.0, 1.0)?;
    Ok(x.gt(SMALL)?.where_cond(&near, &far)?)
}

impl Config for Focal {
    const NAME: &'static str = "Focal";
    const DEFAULT: Self = Self { gamma: 2.0, weights: &[], ignore_index: None, reduction: Reduction::Mean };
    const CHECK: fn(&Self) -> CheckResult = |this| this.check().map(|_| ());
}

impl<const C: usize> Loss<Logits<C>, Class<C>> for Focal {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        self.rows(prediction, target)
    }

    by_counting!(C, "classes");

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        Some(Box::new(self.places().rows(prediction)))
    }
}

impl<const V: usize, const T: usize> Loss<TokenLogits<V>, Tokens<V, T>> for Focal {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        self.rows(&prediction.flatten_to(1)?, &target.flatten_all()?)
    }

    by_counting!(V, "tokens");

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        Some(Box::new(self.places().rows(prediction)))
    }
}

impl<const C: usize, const H: usize, const W: usize> Loss<LogitMap<C, H, W>, ClassMap<C, H, W>> for Focal {
    fn sum(&self, prediction: &Tensor, target: &Tensor) -> Result<LossSum> {
        self.rows(&pixels(prediction)?, &target.flatten_all()?)
    }

    by_counting!(C, "classes");

    fn kernel(&self, prediction: Shape) -> Option<Box<dyn LossKernel>> {
        Some(Box::new(self.places().planes(prediction)))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    /// `f64::exp_m1` is accurate to a rounding or two.
    #[test]
    fn complement_is_accurate_near_0() {
        let x: [f64; 9] = [0.0, -1e-300, -1e-12, -1e-3, -0.0099, -0.0101, -0.5, -3.0, -800.0];
        let found = complement(&Tensor::new(&x, &Device::Cpu).unwrap()).unwrap().to_vec1::<f64>().unwrap();
        for (x, found) in x.iter().zip(found) {
            let expected = -x.exp_m1();
            assert!((found - expected).abs() <= 2e-14 * expected, "{x}: {found}, expected {expected}");
        }
    }
}
