//! Pooling: the largest value or the mean of each window of each plane, of a fixed number of windows, and the mean of whole
//! planes.
//!
//! A plane is one channel of one image, `[height, width]`. With stride `s` and padding `p`, the window of
//! output `(i, j)` has the positions `(s i + u - p, s j + v - p)` for `u, v < kernel`:
//!
//! - the maximum treats positions outside of the plane as minus infinity, and NaN as larger than every value;
//!   its gradient goes to the first maximum, row by row;
//! - the mean treats positions outside as 0 and divides by the size of the window: the padding counts.
//!
//! `s`, `p` and `kernel` are separate for rows and columns.
//!
//! # Source
//! Max pooling: Riesenhuber and Poggio, "Hierarchical models of object recognition in cortex", 1999; average
//! pooling: LeCun et al., "Handwritten digit recognition with a back-propagation network", 1989; the mean of
//! whole planes: Lin et al., "Network in network", 2013. Sizes and padding are PyTorch's.

mod adaptive;
mod average;
mod axis;
mod global;
mod lanes;
mod max;
mod planes;
mod power;
mod window;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

pub use adaptive::AdaptivePool;
pub use axis::AxisPool;
pub use global::{global_average, global_average_backward};
pub use power::PowerPool;

use crate::matmul::WriteMode;
use crate::sizes::elements;
use planes::Windows;

/// The sizes of a pooling.
///
/// ```
/// use trainspec_kernels::pool::Pool;
/// use trainspec_kernels::matmul::WriteMode;
///
/// let pool = Pool { planes: 1, height: 2, width: 4, kernel: [2; 2], stride: [2; 2], padding: [0; 2] };
/// let x = [1.0, 4.0, 2.0, 0.0, 3.0, 4.0, 6.0, 8.0];
/// let (mut y, mut winners, mut dx) = ([0.0; 2], [0; 2], [0.0; 8]);
/// pool.max_forward(&x, &mut y, Some(&mut winners));
/// assert_eq!((y, winners), ([4.0, 8.0], [1, 7]));
/// pool.max_backward(&winners, &[1.0, 2.0], (&mut dx, WriteMode::Overwrite));
/// assert_eq!(dx, [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0]);
/// pool.average_forward(&x, &mut y);
/// assert_eq!(y, [3.0, 4.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    /// The number of planes: images times channels.
    pub planes: usize,
    /// The rows of a plane.
    pub height: usize,
    /// The columns of a plane.
    pub width: usize,
    /// The rows and columns of the window, at least 1.
    pub kernel: [usize; 2],
    /// The stride along rows and columns, at least 1.
    pub stride: [usize; 2],
    /// The padding above and below, and left and right, at most half of `kernel`.
    pub padding: [usize; 2],
}

impl Pool {
    /// The rows of a plane of the result, `floor((height + 2 padding - kernel) / stride) + 1`; 0 if the window
    /// does not fit or the plane is empty.
    #[must_use]
    pub fn out_height(&self) -> usize {
        self.along(0, self.height)
    }

    /// The columns of a plane of the result, as [`Pool::out_height`].
    #[must_use]
    pub fn out_width(&self) -> usize {
        self.along(1, self.width)
    }

    /// Writes the largest value of each window to `y`, and the position of the first of equal ones in its plane, as
    /// `row * width + column`, to `winners`.
    ///
    /// # Shapes
    /// `x`: `[planes, height, width]`; `y` and `winners`: `[planes, out_height, out_width]`.
    ///
    /// # Panics
    /// If a slice has the wrong length, `kernel` or `stride` is 0, `padding` is more than half of `kernel`, or a
    /// plane has more than 2^32 positions.
    pub fn max_forward(&self, x: &[f32], y: &mut [f32], winners: Option<&mut [u32]>) {
        self.check(x, y);
        self.each_search(x, y, winners, |x, y, winners| max::forward(self, x, y, winners));
    }

    /// Writes the gradient of `x` to `dx`, from that of `y`, `dy`, and the `winners` of [`Pool::max_forward`].
    ///
    /// # Panics
    /// As [`Pool::max_forward`], or if a winner is not a position of the plane.
    pub fn max_backward(&self, winners: &[u32], dy: &[f32], (dx, onto): (&mut [f32], WriteMode)) {
        self.check(dx, dy);
        assert_eq!(winners.len(), dy.len(), "winners are as many as the results");
        self.each_gradient(dx, |outputs, dx| {
            max::backward(self, &winners[outputs.clone()], &dy[outputs], dx, onto);
        });
    }

    /// Writes the mean of each window to `y`; the padding counts.
    ///
    /// # Panics
    /// As [`Pool::max_forward`].
    pub fn average_forward(&self, x: &[f32], y: &mut [f32]) {
        self.weighted_forward(self.share(), x, y);
    }

    /// Writes the gradient of `x` to `dx`, from that of the means, `dy`.
    ///
    /// # Panics
    /// As [`Pool::max_forward`].
    pub fn average_backward(&self, dy: &[f32], (dx, onto): (&mut [f32], WriteMode)) {
        self.weighted_backward(self.share(), dy, (dx, onto));
    }

    /// Writes the sum of each window to `y`.
    fn sum_forward(&self, x: &[f32], y: &mut [f32]) {
        self.weighted_forward(1.0, x, y);
    }

    /// Writes the gradient of `x` to `dx`, from that of the sums, `dy`.
    fn sum_backward(&self, dy: &[f32], dx: (&mut [f32], WriteMode)) {
        self.weighted_backward(1.0, dy, dx);
    }

    fn weighted_forward(&self, factor: f32, x: &[f32], y: &mut [f32]) {
        self.check(x, y);
        self.each_plane(x, y, |x, y| average::forward(self, factor, x, y));
    }

    fn weighted_backward(&self, factor: f32, dy: &[f32], (dx, onto): (&mut [f32], WriteMode)) {
        self.check(dx, dy);
        self.each_gradient(dx, |outputs, dx| average::backward(self, factor, &dy[outputs], dx, onto));
    }

    /// The inverse of the size of a window.
    fn share(&self) -> f32 {
        (1.0 / (self.kernel[0] * self.kernel[1]) as f64) as f32
    }

    fn along(&self, axis: usize, length: usize) -> usize {
        if length == 0 {
            return 0;
        }
        let padded = length.saturating_add(self.padding[axis].saturating_mul(2));
        padded.checked_sub(self.kernel[axis]).map_or(0, |room| room / self.stride[axis] + 1)
    }

    fn check(&self, x: &[f32], y: &[f32]) {
        for axis in 0..2 {
            assert!(self.kernel[axis] > 0 && self.stride[axis] > 0, "kernel and stride are at least 1");
            assert!(self.padding[axis] <= self.kernel[axis] / 2, "padding is at most half of the kernel");
        }
        assert!(elements([self.height, self.width]) <= 1 << 32, "a place of a plane is a u32");
        assert_eq!(x.len(), elements([self.planes, self.height, self.width]), "x is [planes, height, width]");
        assert_eq!(
            y.len(),
            elements([self.planes, self.out_height(), self.out_width()]),
            "y is [planes, out height, out width]"
        );
    }

    /// Whether windows are 2x2 with stride 2 and without padding: the case with specialized loops.
    fn is_halving(&self) -> bool {
        (self.kernel, self.stride, self.padding) == ([2; 2], [2; 2], [0; 2])
    }
}
