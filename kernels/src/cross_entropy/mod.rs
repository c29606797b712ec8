//! Cross entropy from logits, and its gradient in the same pass.
//!
//! With logits `z` of a row, `log p = z - log sum exp z`, target class `c` and label smoothing `e`, a row's loss is
//! `(1 - e) * -log p_c + e * mean_k(-log p_k)`, and the gradient `p_k - (1 - e) [k = c] - e / classes`. The largest
//! logit is subtracted first, so that no exponential overflows.
//!
//! With a weight `w_k` for each class, the loss is `(1 - e) * -w_c log p_c + e * mean_k(-w_k log p_k)`, and the gradient
//! `a p_k - (1 - e) w_c [k = c] - e w_k / classes` with `a = (1 - e) w_c + e * mean_k(w_k)`. A row whose target is the ignored one
//! has no loss and the gradient 0.
//!
//! # Source
//! Label smoothing: Szegedy et al., "Rethinking the Inception architecture", 2016, in PyTorch's form.

mod narrow;
mod wide;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use crate::reduce::LANES;
use crate::sizes::elements;
use crate::threads;

/// The sizes of a cross entropy.
///
/// ```
/// use trainspec_kernels::cross_entropy::CrossEntropy;
///
/// let loss = CrossEntropy::new(1, 2);
/// let mut d = [0.0; 2];
/// let sum = loss.forward_backward(&[3.0, 3.0], &[1], &mut d);
/// assert!((sum - 2.0_f64.ln()).abs() < 1e-7);
/// assert_eq!(d, [0.5, -0.5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CrossEntropy<'a> {
    /// The number of rows: samples, or tokens.
    pub rows: usize,
    /// The number of classes.
    pub classes: usize,
    /// The label smoothing: the part of the target that is spread over all classes, from 0 to below 1.
    pub label_smoothing: f32,
    /// The weight of each class, 0 or more; if empty, all are 1.
    pub weights: &'a [f32],
    /// The target whose rows are ignored; it need not be a class.
    pub ignored: Option<u32>,
}

/// The maximum number of blocks of rows.
const BLOCKS: usize = 64;

impl CrossEntropy<'_> {
    /// Without smoothing, weights and an ignored target.
    #[must_use]
    pub const fn new(rows: usize, classes: usize) -> Self {
        Self { rows, classes, label_smoothing: 0.0, weights: &[], ignored: None }
    }

    /// The sum of the losses of all rows.
    ///
    /// # Shapes
    /// `logits`: `[rows, classes]`; `targets`: `[rows]`, the target classes.
    ///
    /// # Panics
    /// If a slice has the wrong length, or a target is neither below `classes` nor ignored.
    #[must_use]
    pub fn forward(&self, logits: &[f32], targets: &[u32]) -> f64 {
        self.check(logits, targets);
        let block = self.block();
        self.sum(|sums| {
            threads::chunks(sums, 1, |number, sum| {
                let first = number * block;
                let end = self.rows.min(first + block);
                let part = &logits[first * self.classes..end * self.classes];
                sum[0] = self.block_sum::<false>(part, &targets[first..end], &mut []);
            });
        })
    }

    /// The sum of the losses of all rows, bit-identical to [`CrossEntropy::forward`], and writes its gradient to
    /// `d_logits`.
    ///
    /// # Panics
    /// As [`CrossEntropy::forward`]; `d_logits` is as long as `logits`.
    pub fn forward_backward(&self, logits: &[f32], targets: &[u32], d_logits: &mut [f32]) -> f64 {
        self.check(logits, targets);
        assert_eq!(d_logits.len(), logits.len(), "d_logits is as long as logits");
        let block = self.block();
        self.sum(|sums| {
            threads::chunks2((d_logits, block * self.classes), (sums, 1), |number, d_logits, sum| {
                let first = number * block;
                let end = self.rows.min(first + block);
                let part = &logits[first * self.classes..end * self.classes];
                sum[0] = self.block_sum::<true>(part, &targets[first..end], d_logits);
            });
        })
    }

    fn check(&self, logits: &[f32], targets: &[u32]) {
        assert_eq!(logits.len(), elements([self.rows, self.classes]), "logits are [rows, classes]");
        assert_eq!(targets.len(), self.rows, "targets are [rows]");
        assert!(self.rows == 0 || self.classes > 0, "a target is below the number of classes, 0");
        assert!(
            self.weights.is_empty() || self.weights.len() == self.classes,
            "weights are none or [classes]"
        );
    }

    /// The rows of a block.
    fn block(&self) -> usize {
        /// The number of logits that makes another thread worthwhile.
        const LOGITS: usize = 16 * 1024;
        LOGITS.div_ceil(self.classes.max(1)).max(self.rows.div_ceil(BLOCKS))
    }

    /// The sum of the results of `run` over the blocks, in their order.
    fn sum(&self, run: impl FnOnce(&mut [f64])) -> f64 {
        let mut sums = [0.0; BLOCKS];
        let sums = &mut sums[..self.rows.div_ceil(self.block())];
        if !sums.is_empty() {
            run(sums);
        }
        sums.iter().sum()
    }

    fn block_sum<const GRADIENT: bool>(&self, logits: &[f32], targets: &[u32], d_logits: &mut [f32]) -> f64 {
        let mean_weight =
            self.weights.iter().map(|&weight| f64::from(weight)).sum::<f64>() / self.classes.max(1) as f64;
        match (self.classes <= LANES, self.weights.is_empty()) {
            (true, true) => narrow::rows::<GRADIENT, false>(self, 1.0, logits, targets, d_logits),
            (true, false) => narrow::rows::<GRADIENT, true>(self, mean_weight, logits, targets, d_logits),
            (false, true) => wide::rows::<GRADIENT, false>(self, 1.0, logits, targets, d_logits),
            (false, false) => wide::rows::<GRADIENT, true>(self, mean_weight, logits, targets, d_logits),
        }
    }

    /// A row's loss, from the logarithm of the sum of the exponentials, the target logit's distance to the largest, and, with
    /// label smoothing, the sum of all distances, each times its weight; none is above 0.
    #[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
    #[inline(always)]
    fn loss(&self, log_sum: f32, right: f32, all: f64, shares: &Shares) -> f64 {
        let smoothing = f64::from(self.label_smoothing);
        let target = shares.right * f64::from(right);
        // Without smoothing, a class with a logit of -infinity contributes nothing.
        let spread = if self.label_smoothing == 0.0 { 0.0 } else { smoothing * all / self.classes as f64 };
        shares.all * f64::from(log_sum) - target - spread
    }

    #[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
    #[inline(always)]
    fn shares<const WEIGHTED: bool>(&self, target: usize, mean_weight: f64) -> Shares {
        let smoothing = f64::from(self.label_smoothing);
        if !WEIGHTED {
            return Shares { right: 1.0 - smoothing, all: 1.0 };
        }
        let right = (1.0 - smoothing) * f64::from(self.weights[target]);
        Shares { right, all: right + if self.label_smoothing > 0.0 { smoothing * mean_weight } else { 0.0 } }
    }

    #[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
    #[inline(always)]
    fn target(&self, target: u32) -> usize {
        let target = target as usize;
        assert!(
            target < self.classes,
            "target {target} is not below the number of classes, {}",
            self.classes
        );
        target
    }
}

/// The weights of a row's log-probabilities.
struct Shares {
    /// The weight of the target class, without the part that is spread over all.
    right: f64,
    /// The total.
    all: f64,
}

/// The larger of two; a NaN may be lost here, and reappears in the exponentials.
#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}
