//! The cosine embedding loss of pairs of vectors, and its gradient in the same pass.
//!
//! With `c = a b / sqrt((a a + eps) (b b + eps))` and `eps` 1e-12, a similar pair has the loss `1 - c`, and a different one
//! `max(0, c - margin)`; where the difference is 0, so is its slope. The derivative of `c` by `a` is
//! `b / sqrt((a a + eps) (b b + eps)) - c a / (a a + eps)`.
//!
//! # Source
//! PyTorch's `CosineEmbeddingLoss`.

#[cfg(test)]
mod tests;

use crate::reduce::{WIDE, Wide, sums};
use crate::sizes::elements;
use crate::{simd, threads};

/// A cosine embedding loss.
///
/// ```
/// use trainspec_kernels::cosine_loss::CosineLoss;
///
/// let loss = CosineLoss { rows: 1, size: 2, margin: 0.0 };
/// let mut d = [0.0; 4];
/// // Orthogonal vectors that should be similar.
/// assert_eq!(loss.forward_backward(&[2.0, 0.0, 0.0, 4.0], &[1], &mut d), 1.0);
/// assert_eq!(d, [0.0, -0.5, -0.25, 0.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CosineLoss {
    /// The number of pairs.
    pub rows: usize,
    /// The length of a vector.
    pub size: usize,
    /// The cosine up to which a different pair has no loss.
    pub margin: f32,
}

/// The maximum number of blocks of pairs.
const BLOCKS: usize = 64;
/// What is added to each sum of squares.
const EPS: f64 = 1e-12;

impl CosineLoss {
    /// The sum of the losses of all pairs.
    ///
    /// # Shapes
    /// `y`: `[rows, 2, size]`; `targets`: `[rows]`, 1 for a similar pair and 0 for a different one.
    ///
    /// # Panics
    /// If a slice has the wrong length, or a target is above 1.
    #[must_use]
    pub fn forward(&self, y: &[f32], targets: &[u32]) -> f64 {
        self.check(y, targets);
        let (block, pair) = (self.block(), 2 * self.size);
        let mut sums = [0.0; BLOCKS];
        let sums = &mut sums[..self.rows.div_ceil(block)];
        threads::chunks(sums, 1, |number, sum| {
            let rows = number * block..self.rows.min((number + 1) * block);
            let part = &y[rows.start * pair..rows.end * pair];
            sum[0] = pairs::<false>(self, part, &targets[rows], &mut []);
        });
        sums.iter().sum()
    }

    /// The sum of the losses of all pairs, bit-identical to [`CosineLoss::forward`], and writes its gradient to `dy`.
    ///
    /// # Panics
    /// As [`CosineLoss::forward`]; `dy` is as long as `y`.
    pub fn forward_backward(&self, y: &[f32], targets: &[u32], dy: &mut [f32]) -> f64 {
        assert_eq!(dy.len(), y.len(), "dy is as long as y");
        if self.size == 0 {
            return self.forward(y, targets);
        }
        self.check(y, targets);
        let (block, pair) = (self.block(), 2 * self.size);
        let mut sums = [0.0; BLOCKS];
        let sums = &mut sums[..self.rows.div_ceil(block)];
        threads::chunks2((dy, block * pair), (&mut *sums, 1), |number, dy, sum| {
            let rows = number * block..self.rows.min((number + 1) * block);
            let part = &y[rows.start * pair..rows.end * pair];
            sum[0] = pairs::<true>(self, part, &targets[rows], dy);
        });
        sums.iter().sum()
    }

    fn check(&self, y: &[f32], targets: &[u32]) {
        assert_eq!(y.len(), elements([self.rows, 2, self.size]), "y is [rows, 2, size]");
        assert_eq!(targets.len(), self.rows, "targets are [rows]");
        assert!(targets.iter().all(|&target| target <= 1), "a target is 0 or 1");
    }

    /// The pairs of a block.
    fn block(&self) -> usize {
        /// The number of values that makes another thread worthwhile.
        const VALUES: usize = 32 * 1024;
        VALUES.div_ceil(2 * self.size.max(1)).max(self.rows.div_ceil(BLOCKS))
    }
}

simd! {
    /// The sum of the losses of some pairs, and with `GRADIENT` their gradients.
    fn pairs[const GRADIENT: bool][GRADIENT](
        loss: &CosineLoss,
        y: &[f32],
        targets: &[u32],
        dy: &mut [f32],
    ) -> f64 {
        let size = loss.size;
        let mut total = 0.0;
        for (row, &target) in targets.iter().enumerate() {
            let (a, b) = y[2 * row * size..2 * (row + 1) * size].split_at(size);
            let [ab, aa, bb] = sums([a, b], [0.0; 2], |[a, b]: [&Wide; 2], [ab, aa, bb]: &mut [Wide; 3]| {
                for lane in 0..WIDE {
                    ab[lane] = a[lane].mul_add(b[lane], ab[lane]);
                    aa[lane] = a[lane].mul_add(a[lane], aa[lane]);
                    bb[lane] = b[lane].mul_add(b[lane], bb[lane]);
                }
            });
            let (aa, bb) = (aa + EPS, bb + EPS);
            let norms = (aa * bb).sqrt();
            let cosine = ab / norms;
            let above = cosine - f64::from(loss.margin);
            let (value, slope) = match target {
                1 => (1.0 - cosine, -1.0),
                // Not a maximum, which would discard a NaN.
                _ if above <= 0.0 => (0.0, 0.0),
                _ => (above, 1.0),
            };
            total += value;
            if GRADIENT {
                let (da, db) = dy[2 * row * size..2 * (row + 1) * size].split_at_mut(size);
                let [by_other, by_a, by_b] =
                    [slope / norms, -slope * cosine / aa, -slope * cosine / bb].map(|factor| factor as f32);
                for (((da, db), a), b) in da.iter_mut().zip(db).zip(a).zip(b) {
                    *da = by_other.mul_add(*b, by_a * a);
                    *db = by_other.mul_add(*a, by_b * b);
                }
            }
        }
        total
    }
}
