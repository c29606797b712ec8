//! Cross entropy from logits, and its gradient in the same pass.
//!
//! With logits `z` of a row, `log p = z - log sum exp z`, right class `c` and label smoothing `e`, a row's loss is
//! `(1 - e) * -log p_c + e * mean_k(-log p_k)`, and the gradient `p_k - (1 - e) [k = c] - e / classes`. The largest
//! logit is taken away first, so that no exponential overflows.
//!
//! # Source
//! Label smoothing: Szegedy et al., "Rethinking the Inception architecture", 2016, in PyTorch's form.

mod narrow;
mod wide;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use crate::runs::LANES;
use crate::threads;

/// The sizes of a cross entropy.
///
/// ```
/// use trainspec_kernels::cross_entropy::CrossEntropy;
///
/// let loss = CrossEntropy { rows: 1, classes: 2, label_smoothing: 0.0 };
/// let mut d = [0.0; 2];
/// let sum = loss.forward_backward(&[3.0, 3.0], &[1], &mut d);
/// assert!((sum - 2.0_f64.ln()).abs() < 1e-7);
/// assert_eq!(d, [0.5, -0.5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CrossEntropy {
    /// The number of rows: samples, or tokens.
    pub rows: usize,
    /// The number of classes.
    pub classes: usize,
    /// How much of the target is spread over all classes, from 0 to below 1.
    pub label_smoothing: f32,
}

/// The most blocks of rows.
const BLOCKS: usize = 64;

impl CrossEntropy {
    /// The sum of the losses of all rows.
    ///
    /// # Shapes
    /// `logits`: `[rows, classes]`; `targets`: `[rows]`, the right classes.
    ///
    /// # Panics
    /// If a slice has another length, or a target is not below `classes`.
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

    /// The sum of the losses of all rows, with the bits of [`CrossEntropy::forward`], and its gradient, into
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
        assert_eq!(logits.len(), self.rows * self.classes, "logits are [rows, classes]");
        assert_eq!(targets.len(), self.rows, "targets are [rows]");
        assert!(self.rows == 0 || self.classes > 0, "a target is below the number of classes, 0");
    }

    /// The rows of a block.
    fn block(&self) -> usize {
        /// Logits worth a word to another thread.
        const LOGITS: usize = 16 * 1024;
        LOGITS.div_ceil(self.classes.max(1)).max(self.rows.div_ceil(BLOCKS))
    }

    /// The sum of what `run` makes of the blocks, in their order.
    fn sum(&self, run: impl FnOnce(&mut [f64])) -> f64 {
        let mut sums = [0.0; BLOCKS];
        let sums = &mut sums[..self.rows.div_ceil(self.block())];
        if !sums.is_empty() {
            run(sums);
        }
        sums.iter().sum()
    }

    fn block_sum<const GRADIENT: bool>(&self, logits: &[f32], targets: &[u32], d_logits: &mut [f32]) -> f64 {
        if self.classes <= LANES {
            narrow::rows::<GRADIENT>(self, logits, targets, d_logits)
        } else {
            wide::rows::<GRADIENT>(self, logits, targets, d_logits)
        }
    }

    /// A row's loss, from the logarithm of the sum of the exponentials, the right one's distance to the largest logit, and, with
    /// label smoothing, the sum of all distances; none is above 0.
    #[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
    #[inline(always)]
    fn loss(&self, log_sum: f32, right: f32, all: f64) -> f64 {
        let smoothing = f64::from(self.label_smoothing);
        let target = (1.0 - smoothing) * f64::from(right);
        // A class that is ruled out by a logit of -infinity counts for nothing without smoothing.
        let spread = if self.label_smoothing == 0.0 { 0.0 } else { smoothing * all / self.classes as f64 };
        f64::from(log_sum) - target - spread
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

/// The larger of two; one that is NaN may be lost, and shows in the exponentials.
#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}
