//! A moving average of many values: `average += share * (value - average)`, one pass.
//!
//! Nothing is fused and elements are independent, so results do not depend on threads or the SIMD level.

use crate::simd;
use crate::threads;

/// Elements per block.
const BLOCK: usize = 32 * 1024;

/// Moves each average the fraction `share` of the way to its value.
///
/// Like PyTorch's `lerp`, computed from the nearer end: `average + share * (value - average)` where `share < 1/2`, else
/// `value - (1 - share) * (value - average)`. So a share of 0 changes nothing and a share of 1 yields the value itself.
///
/// # Panics
/// If there are not as many values as averages.
///
/// ```
/// let mut average = [1.0, 2.0];
/// trainspec_kernels::ema::lerp(&mut average, &[3.0, 0.0], 0.25);
/// assert_eq!(average, [1.5, 1.5]);
/// ```
pub fn lerp(averages: &mut [f32], values: &[f32], share: f32) {
    assert_eq!(averages.len(), values.len(), "each average has a value");
    threads::chunks(averages, BLOCK, |number, averages| {
        let values = &values[number * BLOCK..][..averages.len()];
        if share < 0.5 {
            from_average(averages, values, share);
        } else {
            from_value(averages, values, 1.0 - share);
        }
    });
}

simd! {
    fn from_average(averages: &mut [f32], values: &[f32], share: f32) {
        for (average, value) in averages.iter_mut().zip(values) {
            *average += share * (value - *average);
        }
    }
}

simd! {
    fn from_value(averages: &mut [f32], values: &[f32], rest: f32) {
        for (average, value) in averages.iter_mut().zip(values) {
            *average = value - rest * (value - *average);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::simd::Level;

    fn numbers(count: usize, key: u32) -> Vec<f32> {
        let mut words = vec![0; count];
        crate::philox::fill(&mut words, [key, 0], [0; 3]);
        words.iter().map(|&word| (f64::from(word) / f64::from(1_u32 << 31) - 1.0) as f32).collect()
    }

    proptest! {
        /// Three roundings, of a difference below 4, of its product with the share, and of the sum, each by half an
        /// ulp of at most that size.
        #[test]
        fn matches_f64(share in 0.0_f32..=1.0, length in 0..300_usize, key in 0..100_u32) {
            let (mut found, values) = (numbers(length, key), numbers(length, key + 1000));
            let expected: Vec<f64> = found
                .iter()
                .zip(&values)
                .map(|(&average, &value)| f64::from(average) + f64::from(share) * (f64::from(value) - f64::from(average)))
                .collect();
            lerp(&mut found, &values, share);
            for (found, expected) in found.iter().zip(expected) {
                prop_assert!((f64::from(*found) - expected).abs() <= 3.0 * 2.0 * f64::from(f32::EPSILON));
            }
        }
    }

    #[test]
    fn decay_of_zero_and_one_is_exact() {
        let (first, values) = (numbers(1000, 1), numbers(1000, 2));
        for (share, expected) in [(0.0, &first), (1.0, &values)] {
            let mut averages = first.clone();
            lerp(&mut averages, &values, share);
            assert_eq!(&averages, expected);
        }
    }

    #[test]
    fn results_do_not_depend_on_threads_or_simd_level() {
        let values = numbers(5 * BLOCK + 77, 1);
        let run = |share| {
            let mut averages = numbers(values.len(), 2);
            lerp(&mut averages, &values, share);
            averages.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        for share in [0.001, 0.7] {
            let expected = run(share);
            for threads in [1, 2, 3] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
                assert!(pool.install(|| run(share)) == expected, "{threads} threads");
            }
            for &level in Level::available() {
                assert!(simd::at_level(level, || run(share)) == expected, "{level:?}");
            }
        }
    }
}
