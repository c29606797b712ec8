//! Rows that fit one vector: exponentials row by row, then the logarithms of their sums in parallel.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use super::CrossEntropy;
use crate::math::{exp, few_or, ln, put_few};
use crate::reduce::{LANES, Vector, keep_first};
use crate::simd;

/// The number of rows processed together: so many that the compiler does not unroll a loop over them.
const ROWS: usize = 64;

simd! {
    /// The losses of some rows, and with `GRADIENT` their gradients.
    pub(super) fn rows[const GRADIENT: bool, const WEIGHTED: bool][GRADIENT, WEIGHTED](
        loss: &CrossEntropy<'_>,
        mean_weight: f64,
        logits: &[f32],
        targets: &[u32],
        d_logits: &mut [f32],
    ) -> f64 {
        let classes = loss.classes.min(LANES);
        let spread = loss.label_smoothing / classes as f32;
        let weights = if WEIGHTED { load(loss.weights, classes) } else { [1.0; LANES] };
        let mut losses = 0.0;
        let mut exponentials = [[0.0; LANES]; ROWS];
        for (number, targets) in targets.chunks(ROWS).enumerate() {
            let start = number * ROWS * classes;
            let (mut sums, mut distances) = ([1.0; ROWS], [[0.0; 2]; ROWS]);
            for (row, &target) in targets.iter().enumerate() {
                if loss.ignored == Some(target) {
                    continue;
                }
                let at = start + row * classes;
                let vector = load(&logits[at..], classes);
                let largest = fold::largest(&vector);
                let (mut distances_of_all, mut powers) = ([0.0; LANES], [0.0; LANES]);
                for lane in 0..LANES {
                    distances_of_all[lane] = vector[lane] - largest;
                    powers[lane] = exp(distances_of_all[lane]);
                }
                exponentials[row] = keep_first(&powers, classes, 0.0);
                sums[row] = fold::sum(&exponentials[row]);
                distances[row][0] = logits[at + loss.target(target)] - largest;
                if loss.label_smoothing > 0.0 {
                    if WEIGHTED {
                        for lane in 0..LANES {
                            distances_of_all[lane] *= weights[lane];
                        }
                    }
                    distances[row][1] = fold::sum(&keep_first(&distances_of_all, classes, 0.0));
                }
            }
            let (mut logs, mut factors) = ([0.0; ROWS], [0.0; ROWS]);
            for row in 0..ROWS {
                logs[row] = ln(sums[row]);
                factors[row] = 1.0 / sums[row];
            }
            for (row, &target) in targets.iter().enumerate() {
                let at = start + row * classes;
                if loss.ignored == Some(target) {
                    if GRADIENT {
                        store([0.0; LANES], &mut d_logits[at..], classes);
                    }
                    continue;
                }
                let target = loss.target(target);
                let shares = loss.shares::<WEIGHTED>(target, mean_weight);
                let [right, all] = distances[row];
                losses += loss.loss(logs[row], right, f64::from(all), &shares);
                if GRADIENT {
                    let mut d = exponentials[row];
                    if WEIGHTED {
                        let factor = factors[row] * shares.all as f32;
                        for lane in 0..LANES {
                            d[lane] = d[lane].mul_add(factor, -spread * weights[lane]);
                        }
                    } else {
                        for d in &mut d {
                            *d = d.mul_add(factors[row], -spread);
                        }
                    }
                    store(d, &mut d_logits[at..], classes);
                    d_logits[at + target] -= shares.right as f32;
                }
            }
        }
        losses
    }
}

/// The largest lane, and the sum of the lanes: by adding halves.
#[cfg(target_arch = "x86_64")]
mod fold {
    use std::arch::x86_64::{
        __m128, _mm_add_ps, _mm_cvtss_f32, _mm_loadu_ps, _mm_max_ps, _mm_movehl_ps, _mm_shuffle_ps,
    };

    use crate::reduce::Vector;

    #[inline(always)]
    pub(super) fn largest(lanes: &Vector) -> f32 {
        // SAFETY: every processor of the target has it.
        fold(lanes, |a, b| unsafe { _mm_max_ps(a, b) })
    }

    #[inline(always)]
    pub(super) fn sum(lanes: &Vector) -> f32 {
        // SAFETY: every processor of the target has it.
        fold(lanes, |a, b| unsafe { _mm_add_ps(a, b) })
    }

    /// With intrinsics, since the compiler splits a loop over halves into single lanes, or gathers them.
    #[inline(always)]
    fn fold(lanes: &Vector, join: impl Fn(__m128, __m128) -> __m128) -> f32 {
        // SAFETY: every processor of the target has them, and four lanes are read from 0, 4, 8 and 12 on.
        unsafe {
            let [a, b, c, d] = [0, 4, 8, 12].map(|lane| _mm_loadu_ps(lanes.as_ptr().add(lane)));
            let four = join(join(a, c), join(b, d));
            let two = join(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(join(two, _mm_shuffle_ps::<1>(two, two)))
        }
    }
}

/// The same with loops.
#[cfg(not(target_arch = "x86_64"))]
mod fold {
    use super::super::larger;
    use crate::reduce::{Vector, fold};

    #[inline(always)]
    pub(super) fn largest(lanes: &Vector) -> f32 {
        fold(*lanes, larger)
    }

    #[inline(always)]
    pub(super) fn sum(lanes: &Vector) -> f32 {
        fold(*lanes, |a, b| a + b)
    }
}

/// The first `classes` elements; the first of them in the other lanes, where an exponential below all elements would be slow.
#[inline(always)]
fn load(from: &[f32], classes: usize) -> Vector {
    // A load of one length, where the next rows have the elements for it.
    if let Some(vector) = from.first_chunk() {
        return keep_first(vector, classes, from[0]);
    }
    few_or(&from[..classes], from[0])
}

/// The first `classes` elements; the elements behind them may be overwritten, and are written next.
#[inline(always)]
fn store(vector: Vector, to: &mut [f32], classes: usize) {
    if let Some(place) = to.first_chunk_mut() {
        *place = vector;
    } else {
        put_few(&mut to[..classes], &vector);
    }
}
