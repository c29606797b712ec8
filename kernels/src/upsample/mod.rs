//! Enlarging planes by whole factors: nearest neighbors, bilinear interpolation, and channels that become pixels.
//!
//! Nearest: `y[i, j] = x[i / s, j / s]`. Bilinear: output `i` is at `(i + 1/2) / s - 1/2` of the input, at least 0, and the mean
//! of the two elements around it, weighted by distance; beyond the last element it is that element (PyTorch's
//! `align_corners = false`). Shuffle: `y[c, s i + a, s j + b] = x[c s^2 + a s + b, i, j]`.
//!
//! # Source
//! Pixel shuffle: Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel convolutional
//! neural network", 2016. Positions are PyTorch's.

mod shuffle;

#[cfg(test)]
mod tests;

pub use shuffle::PixelShuffle;

use crate::matmul::WriteMode;
use crate::sizes::elements;
use crate::{simd, threads};

/// The sizes of an enlargement.
///
/// ```
/// use trainspec_kernels::upsample::Upsample;
///
/// let up = Upsample { planes: 1, height: 1, width: 2, scale: [1, 2], bilinear: true };
/// let mut y = [0.0; 4];
/// up.forward(&[1.0, 5.0], &mut y);
/// assert_eq!(y, [1.0, 2.0, 4.0, 5.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Upsample {
    /// The number of planes: images times channels.
    pub planes: usize,
    /// The rows of a plane.
    pub height: usize,
    /// The columns of a plane.
    pub width: usize,
    /// The factors of rows and columns, at least 1.
    pub scale: [usize; 2],
    /// Whether values are interpolated; otherwise they are those of the nearest element.
    pub bilinear: bool,
}

/// The two elements that an output lies between, and the weight of each.
#[derive(Clone, Copy)]
struct Between {
    places: [usize; 2],
    weights: [f32; 2],
}

impl Between {
    fn of(output: usize, length: usize, scale: usize) -> Self {
        // In units of 1 / (2 scale): a whole number, so that the only rounding is that of the weight.
        let at = (2 * output + 1).saturating_sub(scale);
        let first = (at / (2 * scale)).min(length - 1);
        let weight = (at % (2 * scale)) as f32 / (2 * scale) as f32;
        Self { places: [first, (first + 1).min(length - 1)], weights: [1.0 - weight, weight] }
    }
}

/// The mean of the four elements around an output.
fn mixed([upper, lower]: [&[f32]; 2], [above, below]: [f32; 2], columns: Between) -> f32 {
    let Between { places: [left, right], weights: [before, after] } = columns;
    above * (before * upper[left] + after * upper[right])
        + below * (before * lower[left] + after * lower[right])
}

simd! {
    /// The outputs of a row that is enlarged twice, without the first and the last two: [`mixed`] for two columns at a time.
    fn doubled(lines: [&[f32]; 2], rows: [f32; 2], columns: [[f32; 2]; 2], y: &mut [f32]) {
        let ([above, below], [even, odd]) = (rows, columns);
        let pairs = y.as_chunks_mut::<2>().0;
        let count = pairs.len();
        // The elements before, at and after each.
        let [upper, lower] = lines.map(|line| [&line[..count], &line[1..=count], &line[2..][..count]]);
        for (place, pair) in pairs.iter_mut().enumerate() {
            let [up, down] = [upper, lower].map(|line| line.map(|elements| elements[place]));
            *pair = [
                above * (even[0] * up[0] + even[1] * up[1]) + below * (even[0] * down[0] + even[1] * down[1]),
                above * (odd[0] * up[1] + odd[1] * up[2]) + below * (odd[0] * down[1] + odd[1] * down[2]),
            ];
        }
    }
}

impl Upsample {
    /// Writes the enlarged planes to `y`.
    ///
    /// # Shapes
    /// `x`: `[planes, height, width]`; `y`: `[planes, height scale[0], width scale[1]]`.
    ///
    /// # Panics
    /// If a slice has the wrong length or a factor is 0.
    pub fn forward(&self, x: &[f32], y: &mut [f32]) {
        self.check(x, y);
        if y.is_empty() {
            return;
        }
        let (places, columns) = (self.height * self.width, self.width * self.scale[1]);
        let each = places * self.scale[0] * self.scale[1];
        let block = self.block();
        threads::chunks(y, block * each, |number, y| {
            for (plane, y) in (number * block..).zip(y.chunks_exact_mut(each)) {
                let x = &x[plane * places..][..places];
                for (row, y) in y.chunks_exact_mut(columns).enumerate() {
                    if self.bilinear {
                        self.between_rows(x, row, y);
                    } else {
                        self.nearest(&x[row / self.scale[0] * self.width..][..self.width], y);
                    }
                }
            }
        });
    }

    /// Writes the gradient of `x` to `dx`, from that of `y`, `dy`.
    ///
    /// # Panics
    /// As [`Upsample::forward`].
    pub fn backward(&self, dy: &[f32], (dx, onto): (&mut [f32], WriteMode)) {
        self.check(dx, dy);
        if dx.is_empty() {
            return;
        }
        let (places, columns) = (self.height * self.width, self.width * self.scale[1]);
        let each = places * self.scale[0] * self.scale[1];
        let block = self.block();
        threads::chunks(dx, block * places, |number, dx| {
            if onto == WriteMode::Overwrite {
                dx.fill(0.0);
            }
            for (plane, dx) in (number * block..).zip(dx.chunks_exact_mut(places)) {
                for (row, dy) in dy[plane * each..][..each].chunks_exact(columns).enumerate() {
                    if self.bilinear {
                        self.spread(row, dy, dx);
                    } else {
                        let dx = &mut dx[row / self.scale[0] * self.width..][..self.width];
                        for (dx, dy) in dx.iter_mut().zip(dy.chunks_exact(self.scale[1])) {
                            *dx += dy.iter().fold(0.0, |sum, dy| sum + dy);
                        }
                    }
                }
            }
        });
    }

    fn nearest(&self, x: &[f32], y: &mut [f32]) {
        if self.scale[1] == 2 {
            for (x, y) in x.iter().zip(y.as_chunks_mut::<2>().0) {
                *y = [*x; 2];
            }
        } else {
            for (x, y) in x.iter().zip(y.chunks_exact_mut(self.scale[1])) {
                y.fill(*x);
            }
        }
    }

    fn between_rows(&self, x: &[f32], row: usize, y: &mut [f32]) {
        let rows = Between::of(row, self.height, self.scale[0]);
        let lines = rows.places.map(|row| &x[row * self.width..][..self.width]);
        let columns = self.width * self.scale[1];
        let inner = if self.scale[1] == 2 && self.width > 2 { 2..columns - 2 } else { 0..0 };
        for column in (0..inner.start).chain(inner.end..columns) {
            let between = Between::of(column, self.width, self.scale[1]);
            y[column] = mixed(lines, rows.weights, between);
        }
        if !inner.is_empty() {
            // The weights of all even columns are the same, and those of all odd ones.
            let weights = [2, 3].map(|column| Between::of(column, self.width, 2).weights);
            doubled(lines, rows.weights, weights, &mut y[inner]);
        }
    }

    fn spread(&self, row: usize, dy: &[f32], dx: &mut [f32]) {
        let rows = Between::of(row, self.height, self.scale[0]);
        for (column, dy) in dy.iter().enumerate() {
            let columns = Between::of(column, self.width, self.scale[1]);
            for (row, of_row) in rows.places.into_iter().zip(rows.weights) {
                for (column, of_column) in columns.places.into_iter().zip(columns.weights) {
                    dx[row * self.width + column] += of_row * of_column * dy;
                }
            }
        }
    }

    fn check(&self, x: &[f32], y: &[f32]) {
        let Self { planes, height, width, scale: [rows, columns], .. } = *self;
        assert!(rows > 0 && columns > 0, "factors are at least 1");
        assert_eq!(x.len(), elements([planes, height, width]), "x is [planes, height, width]");
        assert_eq!(
            y.len(),
            elements([planes, height, rows, width, columns]),
            "y is [planes, enlarged plane]"
        );
    }

    /// The number of planes per block.
    fn block(&self) -> usize {
        let each = self.height * self.width * self.scale[0] * self.scale[1];
        (threads::block(self.planes * each, each) / each).max(1)
    }
}
