//! Rows of several vectors.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use super::{CrossEntropy, larger};
use crate::math::exp;
use crate::reduce::{LANES, WIDE, fold, sums};
use crate::simd;

simd! {
    /// The losses of some rows, and with `GRADIENT` their gradients.
    pub(super) fn rows[const GRADIENT: bool, const WEIGHTED: bool][GRADIENT, WEIGHTED](
        loss: &CrossEntropy<'_>,
        mean_weight: f64,
        logits: &[f32],
        targets: &[u32],
        d_logits: &mut [f32],
    ) -> f64 {
        let classes = loss.classes;
        let spread = loss.label_smoothing / classes as f32;
        let mut losses = 0.0;
        for (row, &target) in targets.iter().enumerate() {
            if loss.ignored == Some(target) {
                if GRADIENT {
                    d_logits[row * classes..][..classes].fill(0.0);
                }
                continue;
            }
            let target = loss.target(target);
            let shares = loss.shares::<WEIGHTED>(target, mean_weight);
            let logits = &logits[row * classes..][..classes];
            let largest = largest(logits);
            // The same terms in the same order with the gradient and without.
            let [sum] = if GRADIENT {
                let d = &mut d_logits[row * classes..][..classes];
                exponentials(logits, largest, d);
                sums([d], [0.0], |[exponential], [sum]| {
                    for lane in 0..WIDE {
                        sum[lane] += exponential[lane];
                    }
                })
            } else {
                sums([logits], [f32::NEG_INFINITY], |[logit], [sum]| {
                    for lane in 0..WIDE {
                        sum[lane] += exp(logit[lane] - largest);
                    }
                })
            };
            let sum = sum as f32;
            let mut all = [0.0];
            if loss.label_smoothing > 0.0 && WEIGHTED {
                all = sums([logits, loss.weights], [largest, 0.0], |[logit, weight], [sum]| {
                    for lane in 0..WIDE {
                        sum[lane] = (logit[lane] - largest).mul_add(weight[lane], sum[lane]);
                    }
                });
            } else if loss.label_smoothing > 0.0 {
                all = sums([logits], [largest], |[logit], [sum]| {
                    for lane in 0..WIDE {
                        sum[lane] += logit[lane] - largest;
                    }
                });
            }
            losses += loss.loss(sum.ln(), logits[target] - largest, all[0], &shares);
            if GRADIENT {
                let d = &mut d_logits[row * classes..][..classes];
                let factor = 1.0 / sum;
                if WEIGHTED {
                    let factor = factor * shares.all as f32;
                    for (d, weight) in d.iter_mut().zip(loss.weights) {
                        *d = d.mul_add(factor, -spread * weight);
                    }
                } else {
                    for d in &mut *d {
                        *d = d.mul_add(factor, -spread);
                    }
                }
                d[target] -= shares.right as f32;
            }
        }
        losses
    }
}

#[inline(always)]
fn largest(logits: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (vectors, _) = logits.as_chunks::<LANES>();
    // Some elements are read twice, which does not change the maximum.
    for vector in vectors.iter().chain(logits.last_chunk()) {
        for (lane, &logit) in lanes.iter_mut().zip(vector) {
            *lane = larger(*lane, logit);
        }
    }
    fold(lanes, larger)
}

/// `exp(logits - largest)`; there is at least a vector of them.
#[inline(always)]
fn exponentials(logits: &[f32], largest: f32, into: &mut [f32]) {
    let (vectors, _) = logits.as_chunks::<LANES>();
    for (into, vector) in into.as_chunks_mut::<LANES>().0.iter_mut().zip(vectors) {
        for lane in 0..LANES {
            into[lane] = exp(vector[lane] - largest);
        }
    }
    // Some are written twice, with the same bits.
    if let (Some(into), Some(vector)) = (into.last_chunk_mut::<LANES>(), logits.last_chunk::<LANES>()) {
        for lane in 0..LANES {
            into[lane] = exp(vector[lane] - largest);
        }
    }
}
