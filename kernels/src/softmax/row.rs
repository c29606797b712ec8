//! Rows, one after the other.

use crate::math::{LANES, each, each_with_two, exp, few_or, fold, put_few};
use crate::matmul::WriteMode;
use crate::simd;

simd! {
    pub(super) fn forward(x: &[f32], y: &mut [f32], classes: usize) {
        for (x, y) in x.chunks_exact(classes).zip(y.chunks_exact_mut(classes)) {
            let (x, x_rest) = x.as_chunks::<LANES>();
            let (y, y_rest) = y.as_chunks_mut::<LANES>();
            let mut last = few_or(x_rest, f32::NEG_INFINITY);

            let mut lanes = last;
            for vector in x {
                for (lane, &x) in lanes.iter_mut().zip(vector) {
                    *lane = if *lane > x { *lane } else { x };
                }
            }
            let largest = fold(lanes, |a, b| if a > b { a } else { b });

            // Beyond the end of the row is 0; or NaN, where the largest is not finite, but then the row is NaN too.
            let mut sums = [0.0; LANES];
            if !x_rest.is_empty() {
                for value in &mut last {
                    *value = exp(*value - largest);
                }
                sums = last;
            }
            for (y, x) in y.iter_mut().zip(x) {
                for ((y, x), sum) in y.iter_mut().zip(x).zip(&mut sums) {
                    *y = exp(x - largest);
                    *sum += *y;
                }
            }
            let factor = 1.0 / fold(sums, |a, b| a + b);
            each(y.as_flattened_mut(), |y| y * factor);
            if !y_rest.is_empty() {
                put_few(y_rest, &last.map(|y| y * factor));
            }
        }
    }
}

simd! {
    pub(super) fn backward(y: &[f32], dy: &[f32], dx: &mut [f32], classes: usize, onto: WriteMode) {
        let rows = y.chunks_exact(classes).zip(dy.chunks_exact(classes)).zip(dx.chunks_exact_mut(classes));
        for ((y, dy), dx) in rows {
            let mean = dot(y, dy);
            match onto {
                WriteMode::Overwrite => each_with_two(dx, y, dy, |_, y, dy| y * (dy - mean)),
                WriteMode::Accumulate => each_with_two(dx, y, dy, |dx, y, dy| y.mul_add(dy - mean, dx)),
            }
        }
    }
}

#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for ((sum, a), b) in sums.iter_mut().zip(few_or(a_rest, 0.0)).zip(few_or(b_rest, 0.0)) {
        *sum = a * b;
    }
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum = a.mul_add(*b, *sum);
        }
    }
    fold(sums, |a, b| a + b)
}
