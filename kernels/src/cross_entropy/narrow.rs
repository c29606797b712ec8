//! Rows that fit one vector.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use super::{CrossEntropy, larger};
use crate::math::exp;
use crate::runs::{LANES, Vector, fold, keep_first};
use crate::simd;

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
        let mut total = 0.0;
        for (row, &target) in targets.iter().enumerate() {
            let target = loss.target(target);
            let row_logits = load(&logits[row * classes..], classes);
            let largest = fold(row_logits, larger);
            let mut distances = [0.0; LANES];
            let mut exponentials = [0.0; LANES];
            for lane in 0..LANES {
                distances[lane] = row_logits[lane] - largest;
                exponentials[lane] = exp(distances[lane]);
            }
            let sum = fold(exponentials, |a, b| a + b);
            let mut all = 0.0;
            if loss.label_smoothing > 0.0 {
                all = f64::from(distances[..classes].iter().sum::<f32>());
            }
            total += loss.loss(sum, logits[row * classes + target] - largest, all);
            if GRADIENT {
                let factor = 1.0 / sum;
                let mut d = exponentials;
                for d in &mut d {
                    *d = d.mul_add(factor, -spread);
                }
                store(d, &mut d_logits[row * classes..], classes);
                d_logits[row * classes + target] -= 1.0 - loss.label_smoothing;
            }
        }
        total
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
