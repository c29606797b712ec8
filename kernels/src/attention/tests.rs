use proptest::prelude::*;

use super::{Attention, reference};
use crate::epilogue::Dropout;
use crate::philox;
use crate::simd::{self, Level};

const DROPOUT: Dropout =
    Dropout { key: [1, 2], place: [3, 4, 5], threshold: u32::MAX / 4, scale: 4.0 / 3.0, each: 1 };

/// Values from -1 to 1.
fn numbers(count: usize, key: u32) -> Vec<f32> {
    let mut words = vec![0; count];
    philox::fill(&mut words, [key, 0], [0; 3]);
    words.iter().map(|&word| (f64::from(word) / f64::from(1_u32 << 31) - 1.0) as f32).collect()
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// `y`, `log_sums` and `dqkv`.
fn run(attention: &Attention, qkv: &[f32], dy: &[f32]) -> [Vec<f32>; 3] {
    let Attention { batch, length, heads, .. } = *attention;
    // The previous contents must not affect the results.
    let mut y = vec![f32::NAN; dy.len()];
    let mut log_sums = vec![f32::NAN; batch * heads * length];
    let mut dqkv = vec![f32::NAN; qkv.len()];
    attention.forward(qkv, &mut y, &mut log_sums);
    attention.backward(qkv, &y, &log_sums, dy, &mut dqkv);
    [y, log_sums, dqkv]
}

fn data(attention: &Attention) -> (Vec<f32>, Vec<f32>) {
    let count = attention.batch * attention.length * attention.heads * attention.width;
    (numbers(3 * count, 7), numbers(count, 8))
}

fn bits(values: &[Vec<f32>]) -> Vec<u32> {
    values.iter().flatten().map(|value| value.to_bits()).collect()
}

/// The kernel against the reference, element by element.
///
/// With values up to 1, the terms of a score sum to at most `sqrt(width)`, so that its `width + 4` roundings
/// (the products, the query's scale twice, the largest score's subtraction) shift it by `(width + 4) sqrt(width)`
/// units of 2^-24; a weight has that as its relative error twice (in the numerator, and in the sum), and besides
/// the roundings of the exponentials (4), of their sum and of the sum of values (`length` each), and a few at
/// the end. In backward a weight meets two more sums of `width` and one of `length`, and the mean has the error of
/// `y`. Each holds relative to the sum of the absolute values of the terms.
fn check(attention: &Attention) {
    let (qkv, dy) = data(attention);
    let [y, log_sums, dqkv] = run(attention, &qkv, &dy);
    let (expected_y, expected_log_sums) = reference::forward(attention, &widen(&qkv));
    let expected_dqkv = reference::backward(attention, &widen(&qkv), &widen(&dy));

    let (length, width) = (attention.length as f64, attention.width as f64);
    let steps = 2.0 * (width + 4.0) * width.sqrt() + 2.0 * length + 16.0;
    let compare = |name: &str, found: &[f32], expected: &[f64], magnitudes: &[f64], steps: f64| {
        for (index, ((&found, &expected), &size)) in found.iter().zip(expected).zip(magnitudes).enumerate() {
            let tolerance = steps * (size + 1e-30) * f64::from(f32::EPSILON) / 2.0;
            let error = (f64::from(found) - expected).abs();
            assert!(error <= tolerance, "{attention:?}: {name}[{index}] is {found}, not {expected}");
        }
    };
    compare("y", &y, &expected_y.values, &expected_y.magnitudes, steps);
    let sizes: Vec<f64> = expected_log_sums.iter().map(|sum| sum.abs() + 1.0).collect();
    compare("log_sums", &log_sums, &expected_log_sums, &sizes, steps);
    let steps = 2.0 * steps + 2.0 * width + length;
    compare("dqkv", &dqkv, &expected_dqkv.values, &expected_dqkv.magnitudes, steps);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn matches_reference(
        batch in 1..3_usize,
        length in 1..40_usize,
        heads in 1..4_usize,
        width in 1..20_usize,
        causal: bool,
        drops: bool,
    ) {
        check(&Attention { batch, length, heads, width, causal, dropout: drops.then_some(DROPOUT) });
    }
}

#[test]
fn matches_reference_over_many_tiles() {
    for (length, causal) in [(64, true), (65, true), (128, false), (129, true), (150, false), (270, true)] {
        check(&Attention { batch: 1, length, heads: 1, width: 5, causal, dropout: Some(DROPOUT) });
    }
}

#[test]
fn reference_gradient_matches_finite_differences() {
    const STEP: f64 = 1e-5;
    for (causal, dropout) in [(false, None), (true, None), (false, Some(DROPOUT)), (true, Some(DROPOUT))] {
        let attention = Attention { batch: 2, length: 5, heads: 2, width: 3, causal, dropout };
        let (qkv, dy) = data(&attention);
        let (mut qkv, dy) = (widen(&qkv), widen(&dy));
        let gradient = reference::backward(&attention, &qkv, &dy).values;
        let loss = |qkv: &[f64]| -> f64 {
            reference::forward(&attention, qkv).0.values.iter().zip(&dy).map(|(y, dy)| y * dy).sum()
        };
        for index in 0..qkv.len() {
            let value = qkv[index];
            qkv[index] = value + STEP;
            let above = loss(&qkv);
            qkv[index] = value - STEP;
            let slope = (above - loss(&qkv)) / (2.0 * STEP);
            qkv[index] = value;
            // The third derivative times STEP^2 / 6, and the sum's rounding over STEP.
            assert!((slope - gradient[index]).abs() < 1e-8, "{slope} {}", gradient[index]);
        }
    }
}

const LARGE: Attention =
    Attention { batch: 3, length: 70, heads: 2, width: 19, causal: true, dropout: Some(DROPOUT) };

#[test]
fn results_do_not_depend_on_simd_level() {
    for attention in [LARGE, Attention { causal: false, dropout: None, ..LARGE }] {
        let (qkv, dy) = data(&attention);
        let expected = bits(&simd::at_level(Level::Portable, || run(&attention, &qkv, &dy)));
        for &level in Level::available() {
            assert_eq!(bits(&simd::at_level(level, || run(&attention, &qkv, &dy))), expected, "{level:?}");
        }
    }
}

#[test]
fn results_do_not_depend_on_threads() {
    let (qkv, dy) = data(&LARGE);
    let expected = bits(&run(&LARGE, &qkv, &dy));
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        assert_eq!(bits(&pool.install(|| run(&LARGE, &qkv, &dy))), expected, "{threads}");
    }
}

#[test]
fn sample_result_does_not_depend_on_other_samples() {
    let all = Attention { dropout: None, ..LARGE };
    let (qkv, dy) = data(&all);
    let together = run(&all, &qkv, &dy);
    for sample in 0..all.batch {
        let part = |values: &[f32]| -> Vec<f32> {
            let each = values.len() / all.batch;
            values[sample * each..][..each].to_vec()
        };
        let alone = run(&Attention { batch: 1, ..all }, &part(&qkv), &part(&dy));
        assert_eq!(bits(&alone), bits(&together.each_ref().map(|values| part(values))));
    }
}

#[test]
fn row_result_does_not_depend_on_masked_positions() {
    // Dropout indices depend on the length.
    let long = Attention { batch: 1, heads: 1, length: 140, dropout: None, ..LARGE };
    let (qkv, dy) = data(&long);
    let [y, log_sums, _] = run(&long, &qkv, &dy);
    for length in [1, 17, 63, 64, 65, 100, 128, 129] {
        let (qkv, dy) = (&qkv[..length * 3 * long.width], &dy[..length * long.width]);
        let [short_y, short_log_sums, _] = run(&Attention { length, ..long }, qkv, dy);
        let expected = [y[..short_y.len()].to_vec(), log_sums[..length].to_vec()];
        assert_eq!(bits(&[short_y, short_log_sums]), bits(&expected), "{length}");
    }
}

#[test]
fn large_scores_do_not_overflow_or_underflow() {
    let attention = Attention { batch: 1, length: 150, heads: 1, width: 1, causal: false, dropout: None };
    // The largest score of a row is that of the last key, a tile after the first.
    let qkv: Vec<f32> = (0..150).flat_map(|place| [100.0, place as f32, place as f32]).collect();
    let [y, log_sums, dqkv] = run(&attention, &qkv, &[1.0; 150]);
    assert_eq!(y, [149.0; 150]);
    assert_eq!(log_sums, [14_900.0; 150]);
    assert!(dqkv.iter().all(|d| d.is_finite()));
}

#[test]
fn nan_propagates() {
    let attention = Attention { batch: 1, length: 3, heads: 1, width: 1, causal: true, dropout: None };
    let [y, ..] = run(&attention, &[1.0, 1.0, 1.0, 1.0, f32::NAN, 1.0, 1.0, 1.0, 1.0], &[1.0; 3]);
    assert!(!y[0].is_nan() && y[1].is_nan() && y[2].is_nan());
}

#[test]
fn empty_input_is_accepted() {
    for (batch, length, heads, width) in [(0, 3, 2, 2), (2, 0, 2, 2), (2, 3, 0, 2), (2, 3, 2, 0)] {
        let attention = Attention { batch, length, heads, width, causal: true, dropout: Some(DROPOUT) };
        let (qkv, dy) = data(&attention);
        run(&attention, &qkv, &dy);
    }
}

#[test]
#[should_panic(expected = "qkv is [batch, length, 3 heads width]")]
fn lengths_are_checked() {
    let attention = Attention { batch: 1, length: 1, heads: 1, width: 1, causal: true, dropout: None };
    attention.forward(&[1.0], &mut [0.0], &mut [0.0]);
}
