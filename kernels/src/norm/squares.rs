//! The sum of squares of a part of a tensor.

use crate::simd;

/// Numbers that are summed in f32 before the sum goes to f64.
pub(super) const BLOCK: usize = 512;
/// Running sums of a block: two vectors, so that one waits while the other is added to. The same at every level,
/// since the order of the sums is part of the result.
pub(super) const LANES: usize = 32;

simd! {
    pub(super) fn squares(values: &[f32]) -> f64 {
        let (blocks, rest) = values.as_chunks::<BLOCK>();
        let mut total = 0.0;
        for block in blocks {
            total += f64::from(sum(block));
        }
        if rest.is_empty() { total } else { total + f64::from(sum(rest)) }
    }
}

/// The sum of squares of a block.
#[inline(always)]
#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loop around it")]
fn sum(block: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (rows, rest) = block.as_chunks::<LANES>();
    for row in rows {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value * value;
        }
    }
    for (sum, value) in sums.iter_mut().zip(rest) {
        *sum += value * value;
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
    }
    sums[0]
}
