//! The Euclidean norm of many tensors, in a fixed order of sums.

/// Elements that are summed in f32 before the sum goes to f64.
///
/// A block has the worst relative error `BLOCK / LANES * 2^-24` < 2e-6, whatever the tensor's size.
const BLOCK: usize = 256;
/// Running sums of a block, so that the loop can be vectorized; the same on every machine, since the
/// order of the sums is part of the result.
const LANES: usize = 16;

/// The sum of squares of one tensor.
///
/// Squares are summed in f32 in `LANES` running sums a block and in f64 over the blocks, always in the
/// same order. A value whose square does not fit f32 gives infinity; a NaN gives NaN.
#[must_use]
pub fn sum_of_squares(values: &[f32]) -> f64 {
    values.chunks(BLOCK).map(|block| f64::from(block_sum(block))).sum()
}

/// The square root of the sum of squares of all `tensors`, as if they were one.
///
/// ```
/// use trainspec_kernels::norm::global_norm;
///
/// assert_eq!(global_norm([[3.0].as_slice(), &[0.0, 4.0]]), 5.0);
/// ```
#[must_use]
pub fn global_norm<'a>(tensors: impl IntoIterator<Item = &'a [f32]>) -> f64 {
    tensors.into_iter().map(sum_of_squares).sum::<f64>().sqrt()
}

fn block_sum(block: &[f32]) -> f32 {
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
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_f64(values in prop::collection::vec(-100.0_f32..100.0, 0..1000)) {
            let exact: f64 = values.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
            // All terms are positive, so the relative error of a block is at most the longest chain of
            // roundings: one for the square, BLOCK / LANES sums in a lane, LANES over the lanes.
            let chain = (1 + BLOCK / LANES + LANES) as f64;
            prop_assert!((sum_of_squares(&values) - exact).abs() <= exact * chain * f64::from(f32::EPSILON) / 2.0);
        }
    }

    #[test]
    fn non_finite_values_show() {
        assert!(sum_of_squares(&[1.0, f32::NAN]).is_nan());
        assert!(sum_of_squares(&[1.0, f32::INFINITY]).is_infinite());
        assert!(sum_of_squares(&[1.0, 1e30]).is_infinite());
    }
}
