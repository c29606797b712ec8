//! The negative log-likelihood of values under normal distributions, from their means and log-variances, and its gradient in the same pass.
//!
//! With a mean `m`, a log-variance `v`, raised to at least `floor`, and a target `t`, a value's loss is `(v + (m - t)^2 exp(-v)) / 2`,
//! its derivatives are `(m - t) exp(-v)` and `(1 - (m - t)^2 exp(-v)) / 2`, also where `v` was raised.
//!
//! # Source
//! Nix and Weigend, "Estimating the mean and variance of the target probability distribution", 1994.

#[cfg(test)]
mod tests;

use crate::math::exp;
use crate::reduce::{PIECE, Sums, WIDE, Wide};
use crate::sizes::elements;
use crate::{scratch, simd, threads};

/// A Gaussian negative log-likelihood.
///
/// ```
/// use trainspec_kernels::gaussian_loss::GaussianLoss;
///
/// // One sample of one value: the mean 3 and the log-variance 0.
/// let loss = GaussianLoss { rows: 1, columns: 1, floor: -10.0, scale: 1.0 };
/// let mut d = [0.0; 2];
/// assert_eq!(loss.forward_backward(&[3.0, 0.0], &[1.0], &mut d), 2.0);
/// assert_eq!(d, [2.0, -1.5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GaussianLoss {
    /// The number of samples.
    pub rows: usize,
    /// The number of values of a sample.
    pub columns: usize,
    /// The smallest log-variance.
    pub floor: f32,
    /// The factor of the sum.
    pub scale: f64,
}

/// The maximum number of blocks of rows.
const BLOCKS: usize = 64;

impl GaussianLoss {
    /// The sum of the losses of all values, times the scale.
    ///
    /// # Shapes
    /// `y`: `[rows, 2, columns]`, the means and the log-variances; `t`: `[rows, columns]`.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    #[must_use]
    pub fn forward(&self, y: &[f32], t: &[f32]) -> f64 {
        self.check(y, t);
        let block = self.block();
        let mut sums = [0.0; BLOCKS];
        let sums = &mut sums[..self.rows.div_ceil(block)];
        threads::chunks(sums, 1, |number, sum| {
            let rows = number * block..self.rows.min((number + 1) * block);
            let part = &y[2 * rows.start * self.columns..2 * rows.end * self.columns];
            sum[0] = self.rows_sum(part, &t[rows.start * self.columns..rows.end * self.columns], None);
        });
        sums.iter().sum::<f64>() * self.scale
    }

    /// The sum of the losses of all values, bit-identical to [`GaussianLoss::forward`], and writes its gradient to `dy`.
    ///
    /// # Panics
    /// As [`GaussianLoss::forward`]; `dy` is as long as `y`.
    pub fn forward_backward(&self, y: &[f32], t: &[f32], dy: &mut [f32]) -> f64 {
        self.check(y, t);
        assert_eq!(dy.len(), y.len(), "dy is as long as y");
        let block = self.block();
        let mut sums = [0.0; BLOCKS];
        let sums = &mut sums[..self.rows.div_ceil(block)];
        if !y.is_empty() {
            threads::chunks2((dy, 2 * block * self.columns), (&mut *sums, 1), |number, dy, sum| {
                let start = number * block * self.columns;
                let part = &y[2 * start..2 * start + dy.len()];
                sum[0] = self.rows_sum(part, &t[start..start + dy.len() / 2], Some(dy));
            });
        }
        sums.iter().sum::<f64>() * self.scale
    }

    fn check(&self, y: &[f32], t: &[f32]) {
        assert_eq!(y.len(), elements([self.rows, 2, self.columns]), "y is [rows, 2, columns]");
        assert_eq!(t.len(), elements([self.rows, self.columns]), "t is [rows, columns]");
    }

    /// The rows of a block.
    fn block(&self) -> usize {
        /// The number of values that makes another thread worthwhile.
        const VALUES: usize = 8 * 1024;
        VALUES.div_ceil(self.columns.max(1)).max(self.rows.div_ceil(BLOCKS))
    }

    /// Means and log-variances are separated first, since the rows of a few values are shorter than a vector.
    fn rows_sum(&self, y: &[f32], t: &[f32], dy: Option<&mut [f32]>) -> f64 {
        let columns = self.columns.max(1);
        scratch::with(y.len(), |apart| {
            let (means, logs) = apart.split_at_mut(t.len());
            let rows = means.chunks_exact_mut(columns).zip(logs.chunks_exact_mut(columns));
            for ((means, logs), y) in rows.zip(y.chunks_exact(2 * columns)) {
                means.copy_from_slice(&y[..columns]);
                logs.copy_from_slice(&y[columns..]);
            }
            let Some(dy) = dy else {
                return values::<false>(self.floor, self.scale as f32, means, logs, t);
            };
            let sum = values::<true>(self.floor, self.scale as f32, means, logs, t);
            let rows = means.chunks_exact(columns).zip(logs.chunks_exact(columns));
            for ((means, logs), dy) in rows.zip(dy.chunks_exact_mut(2 * columns)) {
                dy[..columns].copy_from_slice(means);
                dy[columns..].copy_from_slice(logs);
            }
            sum
        })
    }
}

simd! {
    /// The sum of the losses of some values; with `GRADIENT`, means and log-variances are replaced by their gradients.
    fn values[const GRADIENT: bool][GRADIENT](
        floor: f32,
        scale: f32,
        means: &mut [f32],
        logs: &mut [f32],
        t: &[f32],
    ) -> f64 {
        let ones = [1.0; PIECE];
        let mut sums = Sums::ZERO;
        // Not `max`, which discards a NaN.
        let raised = |log: f32| if log < floor { floor } else { log };
        for ((means, logs), t) in means.chunks_mut(PIECE).zip(logs.chunks_mut(PIECE)).zip(t.chunks(PIECE)) {
            let inputs = [&*means, &*logs, t, &ones[..t.len()]];
            // A lane without a value has the weight 0.
            sums.add(inputs, [0.0; 4], |[mean, log, t, one]: [&Wide; 4], [sum]: &mut [Wide; 1]| {
                for lane in 0..WIDE {
                    let error = mean[lane] - t[lane];
                    let log = raised(log[lane]);
                    let loss = 0.5 * (error * error).mul_add(exp(-log), log);
                    sum[lane] += one[lane] * loss;
                }
            });
            if GRADIENT {
                for ((mean, log), t) in means.iter_mut().zip(logs).zip(t) {
                    let error = *mean - t;
                    let inverse = exp(-raised(*log));
                    *mean = scale * (error * inverse);
                    *log = scale * (0.5 * (1.0 - error * error * inverse));
                }
            }
        }
        sums.finish()[0]
    }
}
