//! The loops over the elements of a run.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use std::ops::Range;

use super::dropout::Factors;
use super::function::{Function, relu};
use super::{Activation, Dropout, Epilogue};
use crate::math::{LANES, load, store};
use crate::simd;

/// Elements whose factors are drawn at once.
const DRAWN: usize = 64;

simd! {
    /// `y` from `pre`, or from itself if there is none.
    pub(super) fn forward[A: Function][A](
        epilogue: &Epilogue<'_>,
        function: A,
        first: usize,
        pre: Option<&[f32]>,
        y: &mut [f32],
    ) {
        let residual = epilogue.residual.map(|residual| &residual[first..][..y.len()]);
        let then = epilogue.then != Activation::Identity;
        let mut mask = Mask::new(epilogue.dropout.as_ref());
        let mut end = 0;
        while end < y.len() {
            let part = mask.next(first, end, y.len());
            end = part.end;
            let y = &mut y[part.clone()];
            for start in (0..y.len()).step_by(LANES) {
                let mut vector = match pre {
                    Some(pre) => load(&pre[part.clone()], start),
                    None => load(y, start),
                };
                for value in &mut vector {
                    *value = function.value(*value);
                }
                mask.apply(start, &mut vector);
                if let Some(residual) = residual {
                    for (value, residual) in vector.iter_mut().zip(load(&residual[part.clone()], start)) {
                        *value += residual;
                    }
                }
                if then {
                    for value in &mut vector {
                        *value = relu(*value);
                    }
                }
                store(y, start, vector);
            }
        }
    }
}

simd! {
    /// `d_pre` from `d`, or from itself if there is none: times the slopes where `saved` is the input or the output (none,
    /// if it is empty), times the factors of `dropout` or else `scale`.
    pub(super) fn backward[A: Function][A](
        function: A,
        dropout: Option<&Dropout>,
        scale: f32,
        first: usize,
        saved: &[f32],
        d: Option<&[f32]>,
        d_pre: &mut [f32],
    ) {
        let mut mask = Mask::new(dropout);
        let mut end = 0;
        while end < d_pre.len() {
            let part = mask.next(first, end, d_pre.len());
            end = part.end;
            let d_pre = &mut d_pre[part.clone()];
            for start in (0..d_pre.len()).step_by(LANES) {
                let mut slopes = [scale; LANES];
                if !saved.is_empty() {
                    for (slope, x) in slopes.iter_mut().zip(load(&saved[part.clone()], start)) {
                        *slope *= function.slope(x);
                    }
                }
                mask.apply(start, &mut slopes);
                let mut vector = match d {
                    Some(d) => load(&d[part.clone()], start),
                    None => load(d_pre, start),
                };
                for (value, slope) in vector.iter_mut().zip(slopes) {
                    *value *= slope;
                }
                store(d_pre, start, vector);
            }
        }
    }
}

simd! {
    /// `d = 0` where `y` is not above 0.
    pub(super) fn then(y: &[f32], d: &mut [f32]) {
        for (d, y) in d.iter_mut().zip(y) {
            *d = if *y <= 0.0 { 0.0 } else { *d };
        }
    }
}

/// The factors of one part of a run after the other.
struct Mask<'a> {
    dropout: Option<&'a Dropout>,
    factors: Factors<DRAWN>,
    /// Where the first factor of the part stands.
    skipped: usize,
}

impl<'a> Mask<'a> {
    #[inline(always)]
    fn new(dropout: Option<&'a Dropout>) -> Self {
        Self { dropout, factors: Factors::ONES, skipped: 0 }
    }

    /// The part of a run from `start` on: all that is left, if nothing is dropped, else what the factors that it draws
    /// reach. It ends where a block of words does, so that no word is drawn twice.
    #[inline(always)]
    fn next(&mut self, first: usize, start: usize, count: usize) -> Range<usize> {
        let Some(dropout) = self.dropout else { return start..count };
        let number = first + start;
        let end = count.min(start + DRAWN - number % 4);
        self.skipped = self.factors.draw(dropout, number as u64, end - start);
        start..end
    }

    /// Multiplies the elements from `start` of the part on.
    #[inline(always)]
    fn apply(&self, start: usize, vector: &mut [f32; LANES]) {
        if self.dropout.is_some() {
            for (value, factor) in vector.iter_mut().zip(load(self.factors.from(self.skipped), start)) {
                *value *= factor;
            }
        }
    }
}
