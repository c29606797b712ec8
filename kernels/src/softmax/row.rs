//! One row.

use crate::math::{LANES, add, each, each_with_two, exp, few_or, fold, put_few};
use crate::product::Onto;
use crate::simd;

simd! {
    pub(super) fn forward(x: &[f32], y: &mut [f32]) {
        let (vectors, rest) = x.as_chunks::<LANES>();
        let last = few_or(rest, f32::NEG_INFINITY);

        let mut lanes = last;
        for vector in vectors {
            for (lane, &x) in lanes.iter_mut().zip(vector) {
                *lane = if *lane > x { *lane } else { x };
            }
        }
        let largest = fold(lanes, |a, b| if a > b { a } else { b });

        let mut sums = [0.0; LANES];
        let (y_vectors, y_rest) = y.as_chunks_mut::<LANES>();
        for (y, x) in y_vectors.iter_mut().zip(vectors) {
            for ((y, x), sum) in y.iter_mut().zip(x).zip(&mut sums) {
                *y = exp(x - largest);
                *sum += *y;
            }
        }
        if !rest.is_empty() {
            // What stands behind the end of the row is 0; where the largest is not finite it is NaN, but so is the row.
            let mut exponentials = [0.0; LANES];
            for (y, x) in exponentials.iter_mut().zip(last) {
                *y = exp(x - largest);
            }
            add(&mut sums, exponentials);
            put_few(y_rest, &exponentials);
        }
        let factor = 1.0 / fold(sums, |a, b| a + b);
        each(y, |y| y * factor);
    }
}

simd! {
    pub(super) fn backward(y: &[f32], dy: &[f32], dx: &mut [f32], onto: Onto) {
        let ((y_vectors, y_rest), (dy_vectors, dy_rest)) = (y.as_chunks::<LANES>(), dy.as_chunks::<LANES>());
        let mut sums = [0.0; LANES];
        for ((sum, y), dy) in sums.iter_mut().zip(few_or(y_rest, 0.0)).zip(few_or(dy_rest, 0.0)) {
            *sum = y * dy;
        }
        for (y, dy) in y_vectors.iter().zip(dy_vectors) {
            for ((sum, y), dy) in sums.iter_mut().zip(y).zip(dy) {
                *sum = y.mul_add(*dy, *sum);
            }
        }
        let mean = fold(sums, |a, b| a + b);
        match onto {
            Onto::Replace => each_with_two(dx, y, dy, |_, y, dy| y * (dy - mean)),
            Onto::Add => each_with_two(dx, y, dy, |dx, y, dy| y.mul_add(dy - mean, dx)),
        }
    }
}
