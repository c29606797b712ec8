//! The loops over the elements of a run.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use std::ops::Range;

use super::function::{Function, relu};
use super::{Activation, Dropout, Epilogue};
use crate::math::{LANES, add, load, store};
use crate::philox::{self, WORDS};
use crate::simd;

/// Elements of a part of a run.
const PART: usize = 64;
/// A whole part, in vectors.
type Vectors = [[f32; LANES]; PART / LANES];

simd! {
    /// `y` from `pre`, or from itself if there is none.
    pub(super) fn forward[A: Function, const DROPS: bool][A, DROPS](
        epilogue: &Epilogue<'_>,
        function: A,
        first: usize,
        pre: Option<&[f32]>,
        y: &mut [f32],
    ) {
        let residual = epilogue.residual.map(|residual| &residual[first..][..y.len()]);
        let then = epilogue.then != Activation::Identity;
        let mut mask = Mask::<DROPS>::new(epilogue.dropout.as_ref());
        let mut end = 0;
        while end < y.len() {
            let part = mask.next(first, end, y.len());
            end = part.end;
            let y = &mut y[part.clone()];
            if let Some(y) = vectors_mut(y) {
                for (number, y) in y.iter_mut().enumerate() {
                    let mut vector = match pre {
                        Some(pre) => vectors(&pre[part.clone()])[number],
                        None => *y,
                    };
                    values(function, &mut vector);
                    mask.apply(number * LANES, &mut vector);
                    if let Some(residual) = residual {
                        add(&mut vector, vectors(&residual[part.clone()])[number]);
                    }
                    *y = if then { cut(vector) } else { vector };
                }
            } else {
                for start in (0..y.len()).step_by(LANES) {
                    let mut vector = match pre {
                        Some(pre) => load(&pre[part.clone()], start),
                        None => load(y, start),
                    };
                    values(function, &mut vector);
                    mask.apply(start, &mut vector);
                    if let Some(residual) = residual {
                        add(&mut vector, load(&residual[part.clone()], start));
                    }
                    store(y, start, if then { cut(vector) } else { vector });
                }
            }
        }
    }
}

simd! {
    /// `d_pre` from `d`, or from itself if there is none: times the slopes where `saved` is the input or the output (none,
    /// if it is empty), times the factors of `dropout` and `scale`.
    pub(super) fn backward[A: Function, const DROPS: bool][A, DROPS](
        function: A,
        dropout: Option<&Dropout>,
        scale: f32,
        first: usize,
        saved: &[f32],
        d: Option<&[f32]>,
        d_pre: &mut [f32],
    ) {
        let mut mask = Mask::<DROPS>::new(dropout);
        let mut end = 0;
        while end < d_pre.len() {
            let part = mask.next(first, end, d_pre.len());
            end = part.end;
            let d_pre = &mut d_pre[part.clone()];
            if let Some(d_pre) = vectors_mut(d_pre) {
                for (number, d_pre) in d_pre.iter_mut().enumerate() {
                    let vector = match d {
                        Some(d) => vectors(&d[part.clone()])[number],
                        None => *d_pre,
                    };
                    let mut slopes = [scale; LANES];
                    if !saved.is_empty() {
                        times_slopes(function, vectors(&saved[part.clone()])[number], &mut slopes);
                    }
                    mask.apply(number * LANES, &mut slopes);
                    *d_pre = times(vector, slopes);
                }
            } else {
                for start in (0..d_pre.len()).step_by(LANES) {
                    let vector = match d {
                        Some(d) => load(&d[part.clone()], start),
                        None => load(d_pre, start),
                    };
                    let mut slopes = [scale; LANES];
                    if !saved.is_empty() {
                        times_slopes(function, load(&saved[part.clone()], start), &mut slopes);
                    }
                    mask.apply(start, &mut slopes);
                    store(d_pre, start, times(vector, slopes));
                }
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

/// The factors of a part of a run.
struct Mask<'a, const DROPS: bool> {
    dropout: &'a Dropout,
    /// The words of the part from `skipped` on, with room for a vector from any of them on.
    words: [u32; PART + LANES],
    skipped: usize,
}

impl<'a, const DROPS: bool> Mask<'a, DROPS> {
    #[inline(always)]
    fn new(dropout: Option<&'a Dropout>) -> Self {
        const NONE: Dropout = Dropout { key: [0; 2], place: [0; 3], threshold: 0, scale: 1.0 };
        Self { dropout: dropout.unwrap_or(&NONE), words: [0; PART + LANES], skipped: 0 }
    }

    /// The part of a run from `start` on. Where something is dropped, its words are drawn, and it ends where a block of
    /// words does, so that no word is drawn twice.
    #[inline(always)]
    fn next(&mut self, first: usize, start: usize, count: usize) -> Range<usize> {
        if !DROPS {
            return start..count.min(start + PART);
        }
        let number = first + start;
        self.skipped = number % 4;
        let end = count.min(start + PART - self.skipped);
        let groups = (self.skipped + end - start).div_ceil(WORDS);
        let groups = &mut self.words.as_chunks_mut().0[..groups];
        philox::draw(groups, (number / 4) as u32, self.dropout.key, self.dropout.place);
        start..end
    }

    /// Multiplies the elements of the part from `start` on.
    #[inline(always)]
    fn apply(&self, start: usize, vector: &mut [f32; LANES]) {
        if DROPS {
            for (value, &word) in vector.iter_mut().zip(&self.words[self.skipped + start..][..LANES]) {
                *value *= self.dropout.factor(word);
            }
        }
    }
}

/// A part in vectors, if it is whole.
#[inline(always)]
fn vectors_mut(part: &mut [f32]) -> Option<&mut Vectors> {
    let part: &mut [f32; PART] = part.try_into().ok()?;
    part.as_chunks_mut().0.try_into().ok()
}

/// A whole part, in vectors.
#[inline(always)]
fn vectors(part: &[f32]) -> &Vectors {
    part.as_chunks().0.try_into().expect("a whole part")
}

#[inline(always)]
fn values<A: Function>(function: A, vector: &mut [f32; LANES]) {
    for value in vector {
        *value = function.value(*value);
    }
}

#[inline(always)]
fn cut(mut vector: [f32; LANES]) -> [f32; LANES] {
    for value in &mut vector {
        *value = relu(*value);
    }
    vector
}

#[inline(always)]
fn times_slopes<A: Function>(function: A, at: [f32; LANES], slopes: &mut [f32; LANES]) {
    for (slope, x) in slopes.iter_mut().zip(at) {
        *slope *= function.slope(x);
    }
}

#[inline(always)]
fn times(mut vector: [f32; LANES], factors: [f32; LANES]) -> [f32; LANES] {
    for (value, factor) in vector.iter_mut().zip(factors) {
        *value *= factor;
    }
    vector
}
