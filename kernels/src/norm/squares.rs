//! The sum of squares of a part of a tensor.

use crate::simd;

/// Numbers that are summed in f32 before the sums go to f64.
pub(super) const BLOCK: usize = 512;
/// Running sums: two vectors, so that one waits while the other is added to. The same at every level, since the
/// order of the sums is part of the result.
pub(super) const LANES: usize = 32;

pub(super) fn squares(values: &[f32]) -> f64 {
    let mut sums = [0.0; LANES];
    lanes(values, &mut sums);
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
    /// Adds the squares of every `LANES`th number to each of `totals`. Halving them here would make LLVM keep pairs
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
