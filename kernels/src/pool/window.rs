//! The positions of a window.

use std::ops::Range;

use super::Pool;
use super::planes::Windows;

impl Windows for Pool {
    fn planes(&self) -> usize {
        self.planes
    }

    fn sides(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    fn out_sides(&self) -> [usize; 2] {
        [self.out_height(), self.out_width()]
    }

    fn rows(&self, row: usize) -> Range<usize> {
        self.inside(0, row, self.height)
    }

    fn columns(&self, column: usize) -> Range<usize> {
        self.inside(1, column, self.width)
    }
}

impl Pool {
    fn inside(&self, axis: usize, place: usize, length: usize) -> Range<usize> {
        let (first, padding) = (place * self.stride[axis], self.padding[axis]);
        first.saturating_sub(padding)..(first + self.kernel[axis] - padding).min(length)
    }
}

/// The starts of runs of `size` that cover `length`, which is at least `size`; the last may overlap another.
pub(super) fn runs(length: usize, size: usize) -> impl Iterator<Item = usize> {
    (0..length).step_by(size).map(move |start| start.min(length - size))
}

/// The elements of even and of odd index.
#[inline(always)]
#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
pub(super) fn split<const N: usize>(values: &[f32]) -> [[f32; N]; 2] {
    let (mut even, mut odd) = ([0.0; N], [0.0; N]);
    for ((even, odd), pair) in even.iter_mut().zip(&mut odd).zip(values.as_chunks::<2>().0) {
        [*even, *odd] = *pair;
    }
    [even, odd]
}
