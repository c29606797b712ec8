//! Against what makes the result unique: orthonormal, and triangular against what it came from.

use super::orthonormalize;
use crate::philox::block;
use crate::simd::{Level, at_level};

/// Values in [-1, 1).
fn random(count: usize, seed: u32) -> Vec<f64> {
    let word = |number: usize| block([number as u32, 0, 0, 0], [seed, 7])[0];
    (0..count).map(|number| f64::from(word(number)) / 2_147_483_648.0 - 1.0).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A product of unit vectors of n elements is summed with an error of at most `n eps`; what two projections leave of another
/// vector is of that size, times the little that the conditioning of a random matrix adds after the first.
fn tolerance(length: usize) -> f64 {
    16.0 * (length as f64 + 8.0) * f64::EPSILON
}

fn check(from: &[f64], length: usize) {
    let mut vectors = from.to_vec();
    orthonormalize(&mut vectors, length);
    for (i, a) in vectors.chunks(length).enumerate() {
        for (j, b) in vectors.chunks(length).enumerate().take(i + 1) {
            let expected = f64::from(u8::from(i == j));
            let off = (dot(a, b) - expected).abs();
            assert!(off <= tolerance(length), "{i} and {j} of {length}: {off}");
        }
        // Each old vector lies in the span of the new ones up to its own, on the side of its own.
        let old = &from[i * length..][..length];
        assert!(dot(a, old) > 0.0, "R's diagonal is positive");
        let left: f64 =
            dot(old, old) - vectors.chunks(length).take(i + 1).map(|q| dot(q, old).powi(2)).sum::<f64>();
        assert!(left.abs() <= tolerance(length) * dot(old, old), "{i} of {length}: {left} is outside");
    }
}

#[test]
fn vectors_become_orthonormal_and_keep_their_span() {
    for (count, length) in [(1, 1), (1, 5), (2, 2), (3, 17), (16, 16), (33, 40), (65, 130), (96, 96)] {
        check(&random(count * length, 3), length);
    }
}

/// The second is the first times 3; the third is 0; the fourth is the sum of the first and the last.
#[test]
fn linearly_dependent_vector_is_replaced() {
    let first = random(5, 1);
    let last = random(5, 2);
    let tripled = first.iter().map(|x| 3.0 * x);
    let sum = first.iter().zip(&last).map(|(a, b)| a + b);
    let mut vectors: Vec<f64> =
        first.iter().copied().chain(tripled).chain([0.0; 5]).chain(last.iter().copied()).collect();
    vectors.extend(sum);
    orthonormalize(&mut vectors, 5);
    for (i, a) in vectors.chunks(5).enumerate() {
        for (j, b) in vectors.chunks(5).enumerate() {
            assert!((dot(a, b) - f64::from(u8::from(i == j))).abs() <= tolerance(5), "{i} and {j}");
        }
    }
    let mut zero = [0.0];
    orthonormalize(&mut zero, 1);
    assert_eq!(zero.map(f64::to_bits), [1.0_f64.to_bits()]);
}

#[test]
fn results_do_not_depend_on_threads_or_simd_level() {
    let from = random(70 * 75, 5);
    let run = || {
        let mut vectors = from.clone();
        orthonormalize(&mut vectors, 75);
        vectors.into_iter().map(f64::to_bits).collect::<Vec<_>>()
    };
    let expected = run();
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert!(pool.install(run) == expected, "{threads} threads");
    }
    for &level in Level::available() {
        assert!(at_level(level, run) == expected, "{level:?}");
    }
}
