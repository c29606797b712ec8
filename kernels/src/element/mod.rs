//! Elementwise operations: sums, differences and products of two values, their gradients, and copies of
//! rows.
//!
//! All slices of a call have the same length, and large ones are split into blocks for all threads. `onto` selects whether a
//! result overwrites the destination or is added to it.
//!
//! With `y = a + b`, `da = dy` and `db = dy`; with `y = a - b`, `db = -dy`; with `y = a b`, `da = dy b` and
//! `db = dy a`: [`accumulate`], [`scaled`] and [`product_into`].
//!
//! ```
//! use trainspec_kernels::element;
//! use trainspec_kernels::epilogue::{Activation, Epilogue};
//! use trainspec_kernels::matmul::WriteMode;
//!
//! let relu = Epilogue { activation: Activation::Relu, ..Epilogue::NONE };
//! let (a, b, mut y) = ([1.0, 2.0], [0.5, 3.0], [0.0; 2]);
//! element::sub(&a, &b, &mut y, &relu);
//! assert_eq!(y, [0.5, 0.0]);
//!
//! // Each row of `y` is one of the first matrix, of two columns, and one of the second, of one column.
//! let mut y = [0.0; 6];
//! element::copy_rows(&[1.0, 2.0, 3.0, 4.0], 2, &mut y, 3, 2, 2, WriteMode::Overwrite);
//! element::copy_rows(&[5.0, 6.0], 1, &mut y[2..], 3, 1, 2, WriteMode::Overwrite);
//! assert_eq!(y, [1.0, 2.0, 5.0, 3.0, 4.0, 6.0]);
//! ```

mod rows;

#[cfg(test)]
mod tests;

use crate::epilogue::Epilogue;
use crate::math::{each_with, each_with_two};
use crate::matmul::WriteMode;
use crate::{simd, threads};

pub use rows::copy_rows;

/// Elements per block: about 20 microseconds of work.
const BLOCK: usize = 64 << 10;
/// Elements that stay in the L1 cache between a sum and its epilogue; complete blocks of random words.
const PIECE: usize = 1024;

/// `y = epilogue(a + b)`
///
/// # Panics
/// If the lengths differ, or the residual of the epilogue is shorter.
pub fn add(a: &[f32], b: &[f32], y: &mut [f32], epilogue: &Epilogue<'_>) {
    combine(a, b, y, epilogue, sums);
}

/// `y = epilogue(a - b)`
///
/// # Panics
/// If the lengths differ, or the residual of the epilogue is shorter.
pub fn sub(a: &[f32], b: &[f32], y: &mut [f32], epilogue: &Epilogue<'_>) {
    combine(a, b, y, epilogue, differences);
}

/// `y = epilogue(a b)`
///
/// # Panics
/// If the lengths differ, or the residual of the epilogue is shorter.
pub fn mul(a: &[f32], b: &[f32], y: &mut [f32], epilogue: &Epilogue<'_>) {
    combine(a, b, y, epilogue, |a, b, y| products(a, b, y, WriteMode::Overwrite));
}

/// `into = from`, or `into += from`.
///
/// # Panics
/// If the lengths differ.
pub fn accumulate(from: &[f32], into: &mut [f32], onto: WriteMode) {
    assert_eq!(from.len(), into.len(), "the slices have equal lengths");
    threads::chunks(into, BLOCK, |number, into| {
        let from = part(from, number, into.len());
        match onto {
            WriteMode::Overwrite => into.copy_from_slice(from),
            WriteMode::Accumulate => added(from, into),
        }
    });
}

/// `into = factor from`, or `into += factor from`.
///
/// # Panics
/// If the lengths differ.
pub fn scaled(from: &[f32], factor: f32, into: &mut [f32], onto: WriteMode) {
    assert_eq!(from.len(), into.len(), "the slices have equal lengths");
    threads::chunks(into, BLOCK, |number, into| {
        multiples(part(from, number, into.len()), factor, into, onto);
    });
}

/// `into = a b`, or `into += a b`, element by element.
///
/// # Panics
/// If the lengths differ.
pub fn product_into(a: &[f32], b: &[f32], into: &mut [f32], onto: WriteMode) {
    assert!(a.len() == into.len() && b.len() == into.len(), "the slices have equal lengths");
    threads::chunks(into, BLOCK, |number, into| {
        let count = into.len();
        products(part(a, number, count), part(b, number, count), into, onto);
    });
}

/// The elements of a block, which has `count` of them.
fn part(values: &[f32], number: usize, count: usize) -> &[f32] {
    &values[number * BLOCK..][..count]
}

fn combine(
    a: &[f32],
    b: &[f32],
    y: &mut [f32],
    epilogue: &Epilogue<'_>,
    run: impl Fn(&[f32], &[f32], &mut [f32]) + Sync + Send,
) {
    assert!(a.len() == y.len() && b.len() == y.len(), "the slices have equal lengths");
    threads::chunks(y, BLOCK, |number, y| {
        let (a, b) = (part(a, number, y.len()), part(b, number, y.len()));
        if epilogue.is_identity() {
            return run(a, b, y);
        }
        let pieces = a.chunks(PIECE).zip(b.chunks(PIECE)).zip(y.chunks_mut(PIECE));
        for (piece, ((a, b), y)) in pieces.enumerate() {
            run(a, b, y);
            epilogue.forward_in_place(number * BLOCK + piece * PIECE, y);
        }
    });
}

simd! {
    fn sums(a: &[f32], b: &[f32], y: &mut [f32]) {
        each_with_two(y, a, b, |_, a, b| a + b);
    }
}

simd! {
    fn differences(a: &[f32], b: &[f32], y: &mut [f32]) {
        each_with_two(y, a, b, |_, a, b| a - b);
    }
}

simd! {
    fn products(a: &[f32], b: &[f32], into: &mut [f32], onto: WriteMode) {
        match onto {
            WriteMode::Overwrite => each_with_two(into, a, b, |_, a, b| a * b),
            WriteMode::Accumulate => each_with_two(into, a, b, |into, a, b| a.mul_add(b, into)),
        }
    }
}

simd! {
    pub(crate) fn added(from: &[f32], into: &mut [f32]) {
        each_with(into, from, |into, from| into + from);
    }
}

simd! {
    fn multiples(from: &[f32], factor: f32, into: &mut [f32], onto: WriteMode) {
        match onto {
            WriteMode::Overwrite => each_with(into, from, |_, from| from * factor),
            WriteMode::Accumulate => each_with(into, from, |into, from| from.mul_add(factor, into)),
        }
    }
}
