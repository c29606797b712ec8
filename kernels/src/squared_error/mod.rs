//! Squared error, averaged over the values of a sample, and its gradient in the same pass.
//!
//! A row's loss is `mean_k (y_k - t_k)^2`, the gradient of the sum over rows `2 (y - t) / columns`.

#[cfg(test)]
mod tests;

use crate::reduce::{self, PIECE, Sums, WIDE, Wide};
use crate::sizes::elements;
use crate::{simd, threads};

/// The sizes of a squared error.
///
/// ```
/// use trainspec_kernels::squared_error::SquaredError;
///
/// let loss = SquaredError { rows: 2, columns: 2 };
/// let mut dy = [0.0; 4];
/// let sum = loss.forward_backward(&[1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 1.0, 0.0], &mut dy);
/// assert_eq!(sum, 10.0);
/// assert_eq!(dy, [0.0, 0.0, 2.0, 4.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SquaredError {
    /// The number of samples.
    pub rows: usize,
    /// The number of values of a sample.
    pub columns: usize,
}

/// The maximum number of blocks of values.
const BLOCKS: usize = 64;

impl SquaredError {
    /// The sum of the losses of all rows; 0 without columns.
    ///
    /// # Shapes
    /// `y`, `t`: `[rows, columns]`.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    #[must_use]
    pub fn forward(&self, y: &[f32], t: &[f32]) -> f64 {
        self.check(y, t);
        let block = block(y.len());
        self.sum(y.len(), |sums| {
            threads::chunks(sums, 1, |number, sum| {
                let part = number * block..y.len().min((number + 1) * block);
                sum[0] = squares(&y[part.clone()], &t[part]);
            });
        })
    }

    /// The sum of the losses of all rows, bit-identical to [`SquaredError::forward`], and writes its gradient to `dy`.
    ///
    /// # Panics
    /// As [`SquaredError::forward`]; `dy` is as long as `y`.
    pub fn forward_backward(&self, y: &[f32], t: &[f32], dy: &mut [f32]) -> f64 {
        self.check(y, t);
        assert_eq!(dy.len(), y.len(), "dy is as long as y");
        let block = block(y.len());
        let scale = (2.0 / self.columns.max(1) as f64) as f32;
        self.sum(y.len(), |sums| {
            threads::chunks2((dy, block), (sums, 1), |number, dy, sum| {
                let part = number * block..number * block + dy.len();
                sum[0] = squares_and_gradient(&y[part.clone()], &t[part], scale, dy);
            });
        })
    }

    fn check(&self, y: &[f32], t: &[f32]) {
        assert_eq!(y.len(), elements([self.rows, self.columns]), "y is [rows, columns]");
        assert_eq!(t.len(), y.len(), "t is [rows, columns]");
    }

    /// The loss from the sums of squares that `run` computes for the blocks.
    fn sum(&self, values: usize, run: impl FnOnce(&mut [f64])) -> f64 {
        let mut sums = [0.0; BLOCKS];
        let sums = &mut sums[..values.div_ceil(block(values))];
        if !sums.is_empty() {
            run(sums);
        }
        sums.iter().sum::<f64>() / self.columns.max(1) as f64
    }
}

/// The values of a block.
fn block(values: usize) -> usize {
    /// The number of values that makes another thread worthwhile.
    const LEAST: usize = 64 * 1024;
    values.div_ceil(BLOCKS).max(LEAST)
}

#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
#[inline(always)]
fn add_squares([y, t]: [&Wide; 2], [sum]: &mut [Wide; 1]) {
    for lane in 0..WIDE {
        let difference = y[lane] - t[lane];
        sum[lane] = difference.mul_add(difference, sum[lane]);
    }
}

simd! {
    fn squares(y: &[f32], t: &[f32]) -> f64 {
        reduce::sums([y, t], [0.0; 2], add_squares)[0]
    }
}

simd! {
    fn squares_and_gradient(y: &[f32], t: &[f32], scale: f32, dy: &mut [f32]) -> f64 {
        let mut sums = Sums::ZERO;
        // The gradient of a piece is computed while it is in the L1 cache.
        for ((y, t), dy) in y.chunks(PIECE).zip(t.chunks(PIECE)).zip(dy.chunks_mut(PIECE)) {
            sums.add([y, t], [0.0; 2], add_squares);
            for ((dy, y), t) in dy.iter_mut().zip(y).zip(t) {
                *dy = scale * (y - t);
            }
        }
        sums.finish()[0]
    }
}
