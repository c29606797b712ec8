//! The multiclass hinge loss, and its gradient in the same pass.
//!
//! With logits `z` of a row and target class `c`, a row's loss is `1/C sum over j != c of max(0, margin - z_c + z_j)^p` with
//! `C` classes and `p` 1 or 2. Where a term is exactly 0, so is its slope.
//!
//! # Source
//! Crammer and Singer, "On the algorithmic implementation of multiclass kernel-based vector machines", 2001; Weston and
//! Watkins 1999 for the sum over classes.

#[cfg(test)]
mod tests;

use crate::reduce::{Sums, WIDE, Wide};
use crate::sizes::elements;
use crate::{simd, threads};

/// A hinge loss over classes.
///
/// ```
/// use trainspec_kernels::margin_loss::MarginLoss;
///
/// let loss = MarginLoss { rows: 1, classes: 4, margin: 1.0, squared: false };
/// let mut d = [0.0; 4];
/// let sum = loss.forward_backward(&[0.5, 2.0, 1.0, 1.5], &[1], &mut d);
/// assert_eq!(sum, 0.125);
/// assert_eq!(d, [0.0, -0.25, 0.0, 0.25]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MarginLoss {
    /// The number of rows.
    pub rows: usize,
    /// The number of classes.
    pub classes: usize,
    /// The margin by which the target logit must exceed the others.
    pub margin: f32,
    /// Whether `p` is 2.
    pub squared: bool,
}

/// The maximum number of blocks of rows.
const BLOCKS: usize = 64;

impl MarginLoss {
    /// The sum of the losses of all rows.
    ///
    /// # Shapes
    /// `logits`: `[rows, classes]`; `targets`: `[rows]`, the target classes.
    ///
    /// # Panics
    /// If a slice has the wrong length, or a target is not below `classes`.
    #[must_use]
    pub fn forward(&self, logits: &[f32], targets: &[u32]) -> f64 {
        self.check(logits, targets);
        let block = self.block();
        let mut sums = [0.0; BLOCKS];
        let sums = &mut sums[..self.rows.div_ceil(block)];
        threads::chunks(sums, 1, |number, sum| {
            let rows = number * block..self.rows.min((number + 1) * block);
            let part = &logits[rows.start * self.classes..rows.end * self.classes];
            sum[0] = block_sum::<false>(self, part, &targets[rows], &mut []);
        });
        sums.iter().sum()
    }

    /// The sum of the losses of all rows, bit-identical to [`MarginLoss::forward`], and writes its gradient to `d_logits`.
    ///
    /// # Panics
    /// As [`MarginLoss::forward`]; `d_logits` is as long as `logits`.
    pub fn forward_backward(&self, logits: &[f32], targets: &[u32], d_logits: &mut [f32]) -> f64 {
        self.check(logits, targets);
        assert_eq!(d_logits.len(), logits.len(), "d_logits is as long as logits");
        let block = self.block();
        let mut sums = [0.0; BLOCKS];
        let sums = &mut sums[..self.rows.div_ceil(block)];
        if !sums.is_empty() {
            threads::chunks2((d_logits, block * self.classes), (&mut *sums, 1), |number, d_logits, sum| {
                let rows = number * block..self.rows.min((number + 1) * block);
                let part = &logits[rows.start * self.classes..rows.end * self.classes];
                sum[0] = block_sum::<true>(self, part, &targets[rows], d_logits);
            });
        }
        sums.iter().sum()
    }

    fn check(&self, logits: &[f32], targets: &[u32]) {
        assert_eq!(logits.len(), elements([self.rows, self.classes]), "logits are [rows, classes]");
        assert_eq!(targets.len(), self.rows, "targets are [rows]");
        let wrong = targets.iter().find(|&&target| target as usize >= self.classes);
        assert!(wrong.is_none(), "a target is not below the number of classes, {}", self.classes);
    }

    /// The rows of a block.
    fn block(&self) -> usize {
        /// The number of logits that makes another thread worthwhile.
        const LOGITS: usize = 32 * 1024;
        LOGITS.div_ceil(self.classes.max(1)).max(self.rows.div_ceil(BLOCKS))
    }
}

simd! {
    fn block_sum[const GRADIENT: bool][GRADIENT](
        loss: &MarginLoss,
        logits: &[f32],
        targets: &[u32],
        d_logits: &mut [f32],
    ) -> f64 {
        let MarginLoss { classes, squared, .. } = *loss;
        let share = 1.0 / classes as f64;
        let scale = if squared { 2.0 * share } else { share } as f32;
        let mut total = 0.0;
        for (row, &target) in targets.iter().enumerate() {
            let (logits, target) = (&logits[row * classes..][..classes], target as usize);
            let base = loss.margin - logits[target];
            // A term, and what its slope is in units of `scale`.
            let parts = |z: f32| {
                let above = base + z;
                // Not `max`, which discards a NaN.
                let term = if above <= 0.0 { 0.0 } else { above };
                let step = if term > 0.0 { 1.0 } else { term };
                if squared { (term * term, term) } else { (term, step) }
            };
            let add = |[z]: [&Wide; 1], [sum, slope]: &mut [Wide; 2]| {
                for lane in 0..WIDE {
                    let parts = parts(z[lane]);
                    sum[lane] += parts.0;
                    slope[lane] += parts.1;
                }
            };
            let mut sums = Sums::ZERO;
            sums.add([&logits[..target]], [f32::NEG_INFINITY], add);
            sums.add([&logits[target + 1..]], [f32::NEG_INFINITY], add);
            let [sum, slope] = sums.finish();
            total += sum * share;
            if GRADIENT {
                let d = &mut d_logits[row * classes..][..classes];
                for (d, z) in d.iter_mut().zip(logits) {
                    *d = scale * parts(*z).1;
                }
                d[target] = (-f64::from(scale) * slope) as f32;
            }
        }
        total
    }
}
