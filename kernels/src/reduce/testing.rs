//! Shared helpers for the tests of the normalizations and the losses.

use crate::philox;
use crate::simd::{self, Level};

/// The relative error of one rounding.
pub(crate) const ROUNDING: f64 = f32::EPSILON as f64 / 2.0;

/// Values from -1 to 1.
pub(crate) fn numbers(count: usize, key: u32) -> Vec<f32> {
    let mut words = vec![0; count];
    philox::fill(&mut words, [key, 0], [0; 3]);
    words.iter().map(|&word| (f64::from(word) / f64::from(1_u32 << 31) - 1.0) as f32).collect()
}

pub(crate) fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

pub(crate) fn bits(values: &[impl AsRef<[f32]>]) -> Vec<u32> {
    values.iter().flat_map(AsRef::as_ref).map(|value| value.to_bits()).collect()
}

/// Each of `found` is that of `expected`, within `tolerance`, an array of the same length or one value.
pub(crate) fn compare(name: &str, found: &[f32], expected: &[f64], tolerance: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (index, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let tolerance = if tolerance.len() == 1 { tolerance[0] } else { tolerance[index] };
        let error = (f64::from(found) - expected).abs();
        assert!(error <= tolerance, "{name}[{index}] is {found}, not {expected}, within {tolerance:e}");
    }
}

/// The sum of a gradient `dx`, of terms `a + b`, is 0 up to their rounding errors.
///
/// With n elements and u = 2^-24: an element is rounded a few times, each by `u` of its terms at most and by chance, which is
/// `8 u sqrt(n)` of their largest size with all but no doubt; and the constant in all of them once, by `u` of itself, which is
/// a mean of the terms.
pub(crate) fn vanishes(name: &str, dx: &[f32], largest: f64, constant: f64) {
    let (sum, count) = (dx.iter().map(|&dx| f64::from(dx)).sum::<f64>(), dx.len() as f64);
    let off = ROUNDING * (8.0 * count.sqrt() * largest + count * constant.abs());
    assert!(sum.abs() <= off, "the sum of {name} is {sum:e}, not 0 within {off:e}");
}

/// The result of `run` is bit-identical at every level and on any number of threads.
pub(crate) fn same_bits(run: impl Fn() -> Vec<Vec<f32>> + Sync) {
    let expected = bits(&run());
    for &level in Level::available() {
        assert_eq!(bits(&simd::at_level(level, &run)), expected, "{level:?}");
    }
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        assert_eq!(bits(&pool.install(&run)), expected, "{threads} threads");
    }
}

/// The gradient that `gradient` names is that of `loss` at `values`, by finite differences.
///
/// The third derivative times `STEP^2 / 6`, and the sum's rounding over `STEP`, are below `tolerance`.
pub(crate) fn differentiate(
    values: &mut [f64],
    gradient: &[f64],
    tolerance: f64,
    loss: impl Fn(&[f64]) -> f64,
) {
    const STEP: f64 = 1e-5;
    assert_eq!(values.len(), gradient.len());
    for index in 0..values.len() {
        let value = values[index];
        values[index] = value + STEP;
        let above = loss(values);
        values[index] = value - STEP;
        let slope = (above - loss(values)) / (2.0 * STEP);
        values[index] = value;
        assert!((slope - gradient[index]).abs() < tolerance, "{index}: {slope} {}", gradient[index]);
    }
}
