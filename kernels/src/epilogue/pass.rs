//! The loops over the elements of a run, one for each part of an epilogue; a run is processed in pieces that stay
//! in the L1 cache. Each loop reads from a separate source, if there is one, otherwise from its own result.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use super::Dropout;
use super::function::{Function, Relu};
use crate::math::{each, each_with, each_with_two};
use crate::philox::{self, WORDS};
use crate::simd;

/// Elements per piece.
pub(super) const PIECE: usize = 256;

simd! {
    /// `y = function(pre)`
    pub(super) fn values[A: Function][A](function: A, pre: Option<&[f32]>, y: &mut [f32]) {
        match pre {
            Some(pre) => each_with(y, pre, |_, x| function.value(x)),
            None => each(y, |x| function.value(x)),
        }
    }
}

simd! {
    /// `d_pre = d * function'`, where `saved` is its input or its output.
    pub(super) fn slopes[A: Function][A](function: A, saved: &[f32], d: Option<&[f32]>, d_pre: &mut [f32]) {
        match d {
            Some(d) => each_with_two(d_pre, d, saved, |_, d, x| d * function.slope(x)),
            None => each_with(d_pre, saved, |d, x| d * function.slope(x)),
        }
    }
}

simd! {
    /// `d_pre = d * scale` where the output of a `ReLU` is above 0, else `d * 0`.
    pub(super) fn scaled_slopes(scale: f32, y: &[f32], d: Option<&[f32]>, d_pre: &mut [f32]) {
        match d {
            Some(d) => each_with_two(d_pre, d, y, |_, d, y| d * (Relu.slope(y) * scale)),
            None => each_with(d_pre, y, |d, y| d * (Relu.slope(y) * scale)),
        }
    }
}

simd! {
    /// `y = pre + residual`
    pub(super) fn add(residual: &[f32], pre: Option<&[f32]>, y: &mut [f32]) {
        match pre {
            Some(pre) => each_with_two(y, pre, residual, |_, x, residual| x + residual),
            None => each_with(y, residual, |y, residual| y + residual),
        }
    }
}

simd! {
    /// `d = 0` where `y` is not above 0.
    pub(super) fn then(y: &[f32], d: &mut [f32]) {
        each_with(d, y, |d, y| if y <= 0.0 { 0.0 } else { d });
    }
}

/// Drops elements of `from` on the way into `values`, at most [`PIECE`] with `first % 4` before them, of which the first has index `first`.
pub(super) fn drop(dropout: &Dropout, first: usize, from: Option<&[f32]>, values: &mut [f32]) {
    if dropout.each > 1 {
        return drop_runs(dropout, first, from, values);
    }
    let skipped = first % 4;
    let mut words = Words([0; PIECE]);
    let groups = (skipped + values.len()).div_ceil(WORDS);
    philox::draw(&mut words.0.as_chunks_mut().0[..groups], (first / 4) as u32, dropout.key, dropout.place);
    mask(dropout, &words.0[skipped..][..values.len()], from, values);
}

/// [`drop`] for runs of elements that share a word.
fn drop_runs(dropout: &Dropout, first: usize, from: Option<&[f32]>, values: &mut [f32]) {
    let mut start = 0;
    while start < values.len() {
        let run = (first + start) / dropout.each;
        let end = values.len().min((run + 1) * dropout.each - first);
        let [a, b, c] = dropout.place;
        let factor = dropout.factor(philox::block([(run / 4) as u32, a, b, c], dropout.key)[run % 4]);
        scale(factor, from.map(|from| &from[start..end]), &mut values[start..end]);
        start = end;
    }
}

simd! {
    /// Multiplies by one factor.
    fn scale(factor: f32, from: Option<&[f32]>, values: &mut [f32]) {
        match from {
            Some(from) => each_with(values, from, |_, x| x * factor),
            None => each(values, |value| value * factor),
        }
    }
}

/// Aligned to cache lines.
#[repr(align(64))]
struct Words([u32; PIECE]);

simd! {
    /// Multiplies by the factors of `words`.
    fn mask(dropout: &Dropout, words: &[u32], from: Option<&[f32]>, values: &mut [f32]) {
        match from {
            Some(from) => each_with_two(values, from, words, |_, x, word| x * dropout.factor(word)),
            None => each_with(values, words, |value, word| value * dropout.factor(word)),
        }
    }
}
