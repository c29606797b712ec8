//! Softmax along the last axis: `y_j = exp(x_j) / sum_k exp(x_k)`.
//!
//! The largest value of a row is subtracted first, so that no exponential overflows. A row with only
//! -infinity, or with +infinity or NaN, yields NaN.

mod row;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use crate::matmul::WriteMode;
use crate::sizes::elements;
use crate::threads;

/// The sizes of a softmax.
///
/// ```
/// use trainspec_kernels::softmax::Softmax;
///
/// let softmax = Softmax { rows: 1, classes: 3 };
/// let mut y = [0.0; 3];
/// softmax.forward(&[1000.0, 1000.0, f32::NEG_INFINITY], &mut y);
/// assert_eq!(y, [0.5, 0.5, 0.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Softmax {
    /// The number of rows: the product of all axes but the last.
    pub rows: usize,
    /// The length of a row.
    pub classes: usize,
}

impl Softmax {
    /// Computes `y` from `x`, both `[rows, classes]`.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn forward(&self, x: &[f32], y: &mut [f32]) {
        self.check(x, y);
        let block = self.block();
        threads::chunks(y, block, |number, y| {
            row::forward(&x[number * block..][..y.len()], y, self.classes);
        });
    }

    /// The gradient of `x`, `dx_j = y_j (dy_j - sum_k dy_k y_k)`, from the output and its gradient, all
    /// `[rows, classes]`.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn backward(&self, y: &[f32], dy: &[f32], (dx, onto): (&mut [f32], WriteMode)) {
        self.check(y, dx);
        assert_eq!(dy.len(), y.len(), "the gradient of y is as long as y");
        let block = self.block();
        threads::chunks(dx, block, |number, dx| {
            let part = number * block..number * block + dx.len();
            row::backward(&y[part.clone()], &dy[part], dx, self.classes, onto);
        });
    }

    fn check(&self, x: &[f32], y: &[f32]) {
        assert_eq!(x.len(), elements([self.rows, self.classes]), "x is [rows, classes]");
        assert_eq!(y.len(), x.len(), "the result is as long as x");
    }

    /// Elements per block of rows: about 20 microseconds of work.
    fn block(&self) -> usize {
        const ELEMENTS: usize = 32 << 10;
        (ELEMENTS / self.classes.max(1)).max(1) * self.classes.max(1)
    }
}
