//! The sum of squares of a part of a tensor.

use crate::simd;

/// Elements that are summed in f32 before the sums go to f64.
pub(super) const BLOCK: usize = 512;
/// Running sums: two vectors, so that one waits while the other is added to. The same at every level, since the
/// order of the sums is part of the result.
pub(super) const LANES: usize = 32;
/// The smallest mean square for which squares in f32 are accurate enough: those that are flushed, each below 2^-126, are
/// together at most 2^-24 of the sum.
const LEAST: f64 = f32::MIN_POSITIVE as f64 * (1 << 24) as f64;

pub(super) fn squares(values: &[f32]) -> f64 {
    let sum = halves(values, lanes);
    if sum.is_finite() && sum >= LEAST * values.len() as f64 || sum == 0.0 && is_zero(values) {
        return sum;
    }
    halves(values, wide_lanes)
}

/// Reduces the `LANES` sums of `add` by halves.
fn halves(values: &[f32], add: impl FnOnce(&[f32], &mut [f64; LANES])) -> f64 {
    let mut sums = [0.0; LANES];
    add(values, &mut sums);
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
    }
    sums[0]
}

simd! {
    /// Adds the squares of every `LANES`th element to each of `totals`. Halving them here would make LLVM keep pairs
    /// of running sums, not vectors.
    fn lanes(values: &[f32], totals: &mut [f64; LANES]) {
        for block in values.chunks(BLOCK) {
            let mut sums = [0.0_f32; LANES];
            let (rows, rest) = block.as_chunks::<LANES>();
            for row in rows {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += value * value;
                }
            }
            for (total, sum) in totals.iter_mut().zip(&sums) {
                *total += f64::from(*sum);
            }
            for (total, value) in totals.iter_mut().zip(rest) {
                *total += f64::from(value * value);
            }
        }
    }
}

simd! {
    /// The same in f64, where no square of an f32 is too large or too small.
    fn wide_lanes(values: &[f32], totals: &mut [f64; LANES]) {
        let mut sums = *totals;
        let (rows, rest) = values.as_chunks::<LANES>();
        for row in rows {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += f64::from(*value) * f64::from(*value);
            }
        }
        for (sum, value) in sums.iter_mut().zip(rest) {
            *sum += f64::from(*value) * f64::from(*value);
        }
        *totals = sums;
    }
}

simd! {
    /// Whether all elements are 0, as in gradients of a table where no row was read: then no second pass is needed.
    fn is_zero(values: &[f32]) -> bool {
        values.iter().fold(0, |bits, value| bits | value.to_bits() << 1) == 0
    }
}
