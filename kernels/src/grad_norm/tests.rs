use proptest::prelude::*;

use super::squares::{BLOCK, LANES};
use super::{PART, global_norm, global_norm_of, norm_of_sums, squares_of_each, sum_of_squares};
use crate::philox;
use crate::simd::{self, Level};

/// Values from -1 to 1.
fn numbers(count: usize, key: u32) -> Vec<f32> {
    let mut words = vec![0; count];
    philox::fill(&mut words, [key, 0], [0; 3]);
    words.iter().map(|&word| (f64::from(word) / f64::from(1_u32 << 31) - 1.0) as f32).collect()
}

/// The plain sum, in f64.
fn exact(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value) * f64::from(value)).sum()
}

/// All terms are positive, so that the relative error of the sum is that of a term: a rounding for its square and
/// one for each addition to a running sum; f64's own are less than another one, and so are squares that are flushed.
fn tolerance() -> f64 {
    (1 + BLOCK / LANES + 2) as f64 * f64::from(f32::EPSILON) / 2.0
}

#[track_caller]
fn check(values: &[f32]) {
    let (found, expected) = (sum_of_squares(values), exact(values));
    assert!(
        (found - expected).abs() <= expected * tolerance(),
        "{} numbers: {found}, not {expected}",
        values.len()
    );
}

proptest! {
    #[test]
    fn matches_f64(values in prop::collection::vec(-100.0_f32..100.0, 0..2000)) {
        check(&values);
    }
}

#[test]
fn matches_f64_at_block_and_part_boundaries() {
    let values = numbers(3 * PART + 1, 1);
    for edge in [0, 1, LANES, BLOCK, 2 * BLOCK, PART, 2 * PART, 3 * PART] {
        for length in [edge.saturating_sub(1), edge, edge + 1] {
            check(&values[..length]);
        }
    }
}

/// Small, medium and large tensors, and some that are empty.
fn tensors() -> Vec<Vec<f32>> {
    let lengths = [0, 3, PART, 5 * PART + 700, 10, 0, 1, 2 * PART - 1, 40_000, 40_000, 40_000, 40_000, 7, 0];
    lengths.iter().zip(0..).map(|(&length, key)| numbers(length, key)).collect()
}

#[test]
fn norm_includes_all_tensors() {
    let tensors = tensors();
    let expected = tensors.iter().map(|tensor| exact(tensor)).sum::<f64>().sqrt();
    for count in [1, 2, tensors.len()] {
        let some = &tensors[tensors.len() - count..];
        let one_by_one = global_norm(some.iter().map(Vec::as_slice));
        assert_eq!(global_norm_of(some).to_bits(), one_by_one.to_bits());
        let mut sums = vec![f64::NAN; count];
        squares_of_each(some, &mut sums);
        assert!(
            some.iter().zip(&sums).all(|(tensor, &sum)| sum_of_squares(tensor).to_bits() == sum.to_bits())
        );
        assert_eq!(norm_of_sums(&sums).to_bits(), one_by_one.to_bits());
    }
    assert!((global_norm_of(&tensors) - expected).abs() <= expected * tolerance());
    assert_eq!(global_norm_of::<Vec<f32>>(&[]).to_bits(), 0);
    assert_eq!(global_norm_of(&[[0.0; 0]]).to_bits(), 0);
}

/// 1 is lost next to 2^54, but 8 are not: a tensor's sum keeps its position.
#[test]
fn tensor_sums_are_added_in_order() {
    let many = vec![0.0; PART];
    let (large, small) = (vec![(1_u32 << 27) as f32], vec![1.0]);
    let mut tensors = vec![small; 8];
    tensors.push(many);
    tensors.push(large);
    assert!(global_norm_of(&tensors) > f64::from(1_u32 << 27));
    tensors.reverse();
    assert_eq!(global_norm_of(&tensors).to_bits(), f64::from(1_u32 << 27).to_bits());
}

#[test]
fn results_do_not_depend_on_simd_level() {
    let tensors = tensors();
    let expected = global_norm_of(&tensors).to_bits();
    for &level in Level::available() {
        assert_eq!(simd::at_level(level, || global_norm_of(&tensors)).to_bits(), expected, "{level:?}");
    }
}

#[test]
fn results_do_not_depend_on_threads() {
    let tensors = tensors();
    let expected = global_norm_of(&tensors).to_bits();
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        assert_eq!(pool.install(|| global_norm_of(&tensors)).to_bits(), expected, "{threads}");
    }
}

/// The square of 1e25 is too large for f32, that of 1e-30 too small. Failed when squares were summed in f32 alone:
/// the norms were infinite and 0.
#[test]
fn norm_of_extreme_values_is_in_range() {
    let ends = [f32::MIN_POSITIVE, 1e-30, 1e-22, 1e-19, 1e-15, 1e15, 1e19, 1e25, f32::MAX];
    for size in ends {
        assert!((sum_of_squares(&[size]).sqrt() / f64::from(size) - 1.0).abs() < tolerance(), "{size}");
        for length in [3, 77, BLOCK + 1, 2 * PART + 9] {
            let mut values = numbers(length, 7);
            for value in &mut values {
                *value *= size;
                // What would be flushed, depending on the target.
                *value = if value.is_normal() { *value } else { 0.0 };
            }
            let expected = exact(&values);
            let found = sum_of_squares(&values);
            assert!((found - expected).abs() <= expected * tolerance(), "{length} of {size}: {found}");
            let (found, expected) = (global_norm_of(&[values, vec![0.0; 5]]), expected.sqrt());
            assert!((found - expected).abs() <= expected * tolerance(), "{length} of {size}: {found}");
        }
    }
    // Adjacent extremes: each part has its own range.
    let mut values = vec![1e-30; 3 * PART];
    values[PART] = 1e25;
    assert_eq!(sum_of_squares(&values).sqrt().to_bits(), f64::from(1e25_f32).to_bits());
}

#[test]
fn range_limits_do_not_depend_on_simd_level_threads_or_subnormal_mode() {
    let mut tensors = tensors();
    for (tensor, size) in
        tensors.iter_mut().zip([1.0, 1e-30, 1e25, 1e-19, 1e-38, 1.0, 1e-45].into_iter().cycle())
    {
        for value in tensor {
            *value *= size;
        }
    }
    let expected = global_norm_of(&tensors).to_bits();
    for &level in Level::available() {
        assert_eq!(simd::at_level(level, || global_norm_of(&tensors)).to_bits(), expected, "{level:?}");
    }
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        assert_eq!(pool.install(|| global_norm_of(&tensors)).to_bits(), expected, "{threads}");
    }
    assert_eq!(crate::subnormal::flushed(|| global_norm_of(&tensors)).to_bits(), expected);
}

/// Failed when a sum of 0 alone was the sign of squares that were lost.
#[test]
fn norm_includes_squares_below_normal_range() {
    // The square of the first is above the least normal number, those of the others are below it.
    let mut values = vec![1e-20; 10_000];
    values[0] = 1.2e-19;
    check(&values);
}

#[test]
fn non_finite_values_propagate() {
    assert!(sum_of_squares(&[1.0, f32::NAN]).is_nan());
    assert!(sum_of_squares(&[1.0, f32::INFINITY]).is_infinite());
    for bad in [f32::NAN, f32::INFINITY] {
        let mut tensors = tensors();
        for place in [0, 1, PART, 5 * PART + 699] {
            let good = std::mem::replace(&mut tensors[3][place], bad);
            assert!(!global_norm_of(&tensors).is_finite(), "{bad} at {place}");
            tensors[3][place] = good;
        }
        assert!(global_norm_of(&tensors).is_finite());
    }
}
