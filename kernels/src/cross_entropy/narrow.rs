//! Rows that fit one vector, several at a time, so that one does not wait for another's sum.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use std::hint::black_box;

use super::{CrossEntropy, larger};
use crate::math::exp;
use crate::runs::{LANES, Vector, keep_first};
use crate::simd;

/// Rows that go through each step together.
const ROWS: usize = 8;

simd! {
    /// The losses of some rows, and with `GRADIENT` theirs.
    pub(super) fn rows[const GRADIENT: bool][GRADIENT](
        loss: &CrossEntropy,
        logits: &[f32],
        targets: &[u32],
        d_logits: &mut [f32],
    ) -> f64 {
        let classes = loss.classes.min(LANES);
        let spread = loss.label_smoothing / classes as f32;
        let mut losses = 0.0;
        for (number, targets) in targets.chunks(ROWS).enumerate() {
            let start = number * ROWS * classes;
            let mut table = [[0.0; LANES]; ROWS];
            for (row, vector) in table[..targets.len()].iter_mut().enumerate() {
                *vector = load(&logits[start + row * classes..], classes);
            }
            let largest = fold(table, larger);
            let mut exponentials = [[0.0; LANES]; ROWS];
            for ((exponentials, vector), largest) in exponentials.iter_mut().zip(&table).zip(largest) {
                for lane in 0..LANES {
                    exponentials[lane] = exp(vector[lane] - largest);
                }
            }
            let sums = fold(exponentials, |a, b| a + b);
            for (row, &target) in targets.iter().enumerate() {
                let target = loss.target(target);
                let at = start + row * classes;
                let mut all = 0.0;
                if loss.label_smoothing > 0.0 {
                    let distances = table[row][..classes].iter().map(|logit| logit - largest[row]);
                    all = f64::from(distances.sum::<f32>());
                }
                losses += loss.loss(sums[row], logits[at + target] - largest[row], all);
                if GRADIENT {
                    let factor = 1.0 / sums[row];
                    let mut d = exponentials[row];
                    for d in &mut d {
                        *d = d.mul_add(factor, -spread);
                    }
                    store(d, &mut d_logits[at..], classes);
                    d_logits[at + target] -= 1.0 - loss.label_smoothing;
                }
            }
        }
        losses
    }
}

/// The lanes of each row brought together, halves onto halves.
#[inline(always)]
fn fold(mut rows: [Vector; ROWS], join: impl Fn(f32, f32) -> f32) -> [f32; ROWS] {
    // In memory, the halves are vectors to the compiler; in registers they are taken apart into single lanes.
    let rows = black_box(&mut rows);
    halve::<8>(rows, &join);
    halve::<4>(rows, &join);
    halve::<2>(rows, &join);
    let mut folded = [0.0; ROWS];
    for (folded, row) in folded.iter_mut().zip(rows) {
        *folded = join(row[0], row[1]);
    }
    folded
}

#[inline(always)]
fn halve<const HALF: usize>(rows: &mut [Vector; ROWS], join: &impl Fn(f32, f32) -> f32) {
    for row in rows {
        let (first, second) = row.split_at_mut(HALF);
        for lane in 0..HALF {
            first[lane] = join(first[lane], second[lane]);
        }
    }
}

/// The first `classes` numbers; below all of them in the other lanes.
#[inline(always)]
fn load(from: &[f32], classes: usize) -> Vector {
    // A load of one length, where the next rows have the numbers for it.
    if let Some(vector) = from.first_chunk() {
        return keep_first(vector, classes, f32::NEG_INFINITY);
    }
    let mut vector = [f32::NEG_INFINITY; LANES];
    for (to, from) in vector.iter_mut().zip(from).take(classes) {
        *to = *from;
    }
    vector
}

/// The first `classes` numbers; what is behind them may be written over, and is what comes next.
#[inline(always)]
fn store(vector: Vector, to: &mut [f32], classes: usize) {
    if let Some(place) = to.first_chunk_mut() {
        *place = vector;
    } else {
        for (to, from) in to.iter_mut().zip(vector).take(classes) {
            *to = from;
        }
    }
}
