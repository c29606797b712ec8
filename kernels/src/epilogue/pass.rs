//! The loops over the elements of a run, one for each part of an epilogue; a run goes through them by pieces that stay
//! in the first cache.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use super::Dropout;
use super::function::Function;
use crate::math::{each, each_with};
use crate::philox::{self, WORDS};
use crate::simd;

/// Elements of a piece.
pub(super) const PIECE: usize = 256;

simd! {
    /// `y = function(y)`
    pub(super) fn values[A: Function][A](function: A, y: &mut [f32]) {
        each(y, |x| function.value(x));
    }
}

simd! {
    /// `d *= function'`, where `saved` is its input or its output.
    pub(super) fn slopes[A: Function][A](function: A, saved: &[f32], d: &mut [f32]) {
        each_with(d, saved, |d, x| d * function.slope(x));
    }
}

simd! {
    /// `d *= scale * function'`, where `saved` is the input of the function or its output.
    pub(super) fn scaled_slopes[A: Function][A](function: A, scale: f32, saved: &[f32], d: &mut [f32]) {
        each_with(d, saved, |d, x| d * (function.slope(x) * scale));
    }
}

simd! {
    /// `y += residual`
    pub(super) fn add(residual: &[f32], y: &mut [f32]) {
        each_with(y, residual, |y, residual| y + residual);
    }
}

simd! {
    /// `d = 0` where `y` is not above 0.
    pub(super) fn then(y: &[f32], d: &mut [f32]) {
        each_with(d, y, |d, y| if y <= 0.0 { 0.0 } else { d });
    }
}

/// Drops elements of `values`, at most [`PIECE`] with `first % 4` before them, of which the first has number `first`.
pub(super) fn drop(dropout: &Dropout, first: usize, values: &mut [f32]) {
    let skipped = first % 4;
    let mut words = Words([0; PIECE]);
    let groups = (skipped + values.len()).div_ceil(WORDS);
    philox::draw(&mut words.0.as_chunks_mut().0[..groups], (first / 4) as u32, dropout.key, dropout.place);
    mask(dropout, &words.0[skipped..][..values.len()], values);
}

/// As a processor's lines are aligned.
#[repr(align(64))]
struct Words([u32; PIECE]);

simd! {
    /// Multiplies by the factors of `words`.
    fn mask(dropout: &Dropout, words: &[u32], values: &mut [f32]) {
        each_with(values, words, |value, word| value * dropout.factor(word));
    }
}
