//! Elementwise losses, each a sum of a function of one prediction `y` and one target `t`, and their gradients in the same
//! pass.
//!
//! | loss | per element | derivative |
//! | --- | --- | --- |
//! | [`Absolute`](Function::Absolute) | `abs(y - t)` | `sign(y - t)`, `sign(0) = 0` |
//! | [`Huber`](Function::Huber) | `(y - t)^2 / 2`, beyond `delta` `delta (abs(y - t) - delta / 2)` | `y - t` within `delta` |
//! | [`SmoothL1`](Function::SmoothL1) | `(y - t)^2 / (2 beta)`, from `beta` on `abs(y - t) - beta / 2` | `(y - t) / beta` within 1 |
//! | [`Logistic`](Function::Logistic) | `w t softplus(-y) + (1 - t) softplus(y)` | `(1 - t) sigmoid(y) - w t sigmoid(-y)` |
//! | [`Margin`](Function::Margin) | `max(0, margin - s y)`, optionally squared, with `s = 2 t - 1` | `-s`, or `-2 s (margin - s y)` |
//! | [`Divergence`](Function::Divergence) | `t (ln t - y)`, 0 for a `t` of 0 | `-t` |
//! | [`Poisson`](Function::Poisson) | `exp(y) - t y` | `exp(y) - t` |
//! | [`Focal`](Function::Focal) | `w q^gamma softplus(s y)`, `q = sigmoid(s y)` | `s w q^gamma (gamma (1 - q) softplus(s y) + q)` |
//!
//! For the focal loss of a logit, `s = 1 - 2 t` and the weight `w` is `alpha` for a target of 1, `1 - alpha` for 0.
//!
//! `softplus(y) = max(y, 0) + ln(1 + exp(-abs(y)))` does not overflow, and in this form no term of a target from 0 to 1 is below 0, so
//! that nothing cancels.

mod function;

#[cfg(test)]
mod tests;

use crate::reduce::{PIECE, Sums, WIDE, Wide};
use crate::{simd, threads};
use function::{
    Absolute, Divergence, Focal, Huber, Logistic, Margin, Poisson, SmoothL1, SquaredMargin, Term,
};

/// An elementwise loss.
///
/// ```
/// use trainspec_kernels::pointwise_loss::{Function, PointwiseLoss};
///
/// // The mean over 2 values of each of 2 samples, summed over the samples.
/// let loss = PointwiseLoss { function: Function::Absolute, scale: 0.5 };
/// let mut dy = [0.0; 4];
/// let sum = loss.forward_backward(&[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 1.0, 5.0], &mut dy);
/// assert_eq!(sum, 1.5);
/// assert_eq!(dy, [0.0, 0.0, 0.5, -0.5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PointwiseLoss<'a> {
    /// The function that is summed.
    pub function: Function<'a>,
    /// The factor of the sum: the inverse of the number of values per sample for their mean.
    pub scale: f64,
}

/// The loss of one element.
#[derive(Clone, Copy, Debug)]
pub enum Function<'a> {
    /// The absolute error.
    Absolute,
    /// The Huber loss: a parabola, then lines of slope `delta`.
    Huber {
        /// Where the lines start, above 0.
        delta: f32,
    },
    /// The same with lines of slope 1.
    SmoothL1 {
        /// Where the lines start; 0 removes the parabola.
        beta: f32,
    },
    /// Binary cross entropy from logits, with targets from 0 to 1.
    Logistic {
        /// The weight of a target of 1 in each column, repeated any number of times; if empty, all are 1.
        weights: &'a [f32],
    },
    /// The hinge loss, with targets 0 and 1.
    Margin {
        /// The margin.
        margin: f32,
        /// Whether it is squared.
        squared: bool,
    },
    /// The Kullback-Leibler divergence of log-probabilities from probabilities.
    Divergence,
    /// The negative log-likelihood of counts under Poisson distributions, from log-rates.
    Poisson,
    /// The focal loss of logits, with targets 0 and 1.
    Focal {
        /// How much less an element counts as the probability of its target rises, 0 or more.
        gamma: f32,
        /// The weight of a target of 1, from 0 to 1.
        alpha: f32,
    },
}

/// The maximum number of blocks of values.
const BLOCKS: usize = 64;

impl PointwiseLoss<'_> {
    /// The sum of the losses.
    ///
    /// # Panics
    /// If `y` and `t` are not equally long, or there are weights and `y` is not some rows of them.
    #[must_use]
    pub fn forward(&self, y: &[f32], t: &[f32]) -> f64 {
        self.run(y, t, None)
    }

    /// The sum of the losses, bit-identical to [`PointwiseLoss::forward`], and writes its gradient to `dy`.
    ///
    /// # Panics
    /// As [`PointwiseLoss::forward`]; `dy` is as long as `y`.
    pub fn forward_backward(&self, y: &[f32], t: &[f32], dy: &mut [f32]) -> f64 {
        assert_eq!(dy.len(), y.len(), "dy is as long as y");
        self.run(y, t, Some(dy))
    }

    fn run(&self, y: &[f32], t: &[f32], dy: Option<&mut [f32]>) -> f64 {
        assert_eq!(t.len(), y.len(), "t is as long as y");
        match self.function {
            Function::Absolute => self.blocks(Absolute, &[], y, t, dy),
            Function::Huber { delta } => self.blocks(Huber(delta), &[], y, t, dy),
            Function::SmoothL1 { beta } => self.blocks(SmoothL1(beta), &[], y, t, dy),
            Function::Logistic { weights } => self.blocks(Logistic, weights, y, t, dy),
            Function::Margin { margin, squared: false } => self.blocks(Margin(margin), &[], y, t, dy),
            Function::Margin { margin, squared: true } => self.blocks(SquaredMargin(margin), &[], y, t, dy),
            Function::Divergence => self.blocks(Divergence, &[], y, t, dy),
            Function::Poisson => self.blocks(Poisson, &[], y, t, dy),
            Function::Focal { gamma, alpha } => self.blocks(Focal { gamma, alpha }, &[], y, t, dy),
        }
    }

    fn blocks(&self, term: impl Term, weights: &[f32], y: &[f32], t: &[f32], dy: Option<&mut [f32]>) -> f64 {
        let ones = [1.0; PIECE];
        let weights = if weights.is_empty() { &ones } else { weights };
        let block = block(y.len(), weights.len());
        let mut sums = [0.0; BLOCKS];
        let sums = &mut sums[..y.len().div_ceil(block)];
        let scale = self.scale as f32;
        if let Some(dy) = dy {
            if !sums.is_empty() {
                threads::chunks2((dy, block), (&mut *sums, 1), |number, dy, sum| {
                    let part = number * block..number * block + dy.len();
                    sum[0] = pieces::<_, true>(term, weights, &y[part.clone()], &t[part], scale, dy);
                });
            }
        } else {
            threads::chunks(sums, 1, |number, sum| {
                let part = number * block..y.len().min((number + 1) * block);
                sum[0] = pieces::<_, false>(term, weights, &y[part.clone()], &t[part], scale, &mut []);
            });
        }
        sums.iter().sum::<f64>() * self.scale
    }
}

/// The values per block, complete rows of the weights.
fn block(values: usize, weights: usize) -> usize {
    /// The number of values that makes another thread worthwhile.
    const LEAST: usize = 16 * 1024;
    values.div_ceil(BLOCKS).max(LEAST).next_multiple_of(weights)
}

simd! {
    /// The sum over some values, and with `GRADIENT` their gradients.
    fn pieces[T: Term, const GRADIENT: bool][T, GRADIENT](
        term: T,
        weights: &[f32],
        y: &[f32],
        t: &[f32],
        scale: f32,
        dy: &mut [f32],
    ) -> f64 {
        let mut sums = Sums::ZERO;
        let mut start = 0;
        while start < y.len() {
            let end = y.len().min(start + weights.len());
            let (y, t, weights) = (&y[start..end], &t[start..end], &weights[..end - start]);
            let add = |[y, t, w]: [&Wide; 3], [sum]: &mut [Wide; 1]| {
                for lane in 0..WIDE {
                    sum[lane] += term.loss(y[lane], t[lane], w[lane]);
                }
            };
            sums.add([y, t, weights], T::NOTHING, add);
            if GRADIENT {
                let dy = &mut dy[start..end];
                for (((dy, y), t), w) in dy.iter_mut().zip(y).zip(t).zip(weights) {
                    *dy = scale * term.slope(*y, *t, *w);
                }
            }
            start = end;
        }
        sums.finish()[0]
    }
}

/// Repeats the weights of one sample up to a good block length.
///
/// ```
/// use trainspec_kernels::pointwise_loss::repeated;
///
/// let weights = repeated(&[1.0, 2.0]);
/// assert_eq!(weights[..4], [1.0, 2.0, 1.0, 2.0]);
/// assert_eq!(weights.len() % 2, 0);
/// ```
#[must_use]
pub fn repeated(weights: &[f32]) -> Vec<f32> {
    weights.repeat(if weights.is_empty() { 0 } else { PIECE.div_ceil(weights.len()) })
}
