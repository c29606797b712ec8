use proptest::prelude::*;

use super::{Attention, GroupedAttention, Inputs, reference};
use crate::epilogue::Dropout;
use crate::matmul::WriteMode;
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

/// `y`, `log_sums` and the gradients of queries, keys and values, which are added to `before`.
fn run_grouped(
    attention: &GroupedAttention,
    given: &Grouped,
    dy: &[f32],
    before: Option<f32>,
) -> [Vec<f32>; 5] {
    let GroupedAttention { batch, queries, heads, .. } = *attention;
    let [query, key, value] = given.parts.each_ref().map(Vec::as_slice);
    let inputs = Inputs { query, key, value, mask: given.mask.as_deref() };
    let mut y = vec![f32::NAN; dy.len()];
    let mut log_sums = vec![f32::NAN; batch * heads * queries];
    attention.forward(&inputs, &mut y, &mut log_sums);
    let onto = if before.is_some() { WriteMode::Accumulate } else { WriteMode::Overwrite };
    let mut gradients = given.parts.each_ref().map(|part| vec![before.unwrap_or(f32::NAN); part.len()]);
    attention.backward(
        &inputs,
        &y,
        &log_sums,
        dy,
        gradients.each_mut().map(|part| Some((part.as_mut_slice(), onto))),
    );
    let [dq, dk, dv] = gradients;
    [y, log_sums, dq, dk, dv]
}

struct Grouped {
    parts: [Vec<f32>; 3],
    mask: Option<Vec<f32>>,
}

/// With a mask, every third key is masked, and in the last sample all of them.
fn grouped(attention: &GroupedAttention, has_mask: bool) -> (Grouped, Vec<f32>) {
    let GroupedAttention { batch, queries, keys, heads, kv_heads, width, .. } = *attention;
    let [of_query, of_key] = [queries * heads, keys * kv_heads].map(|rows| batch * rows * width);
    let masked = |index: usize| index % 3 == 1 || index >= (batch - 1) * keys && batch > 1;
    let mask = has_mask.then(|| (0..batch * keys).map(|index| f32::from(!masked(index))).collect());
    (
        Grouped { parts: [numbers(of_query, 7), numbers(of_key, 8), numbers(of_key, 9)], mask },
        numbers(of_query, 10),
    )
}

/// As [`check`]; the gradient of a key has a term for each query of each head that shares it.
fn check_grouped(attention: &GroupedAttention, has_mask: bool) {
    let (given, dy) = grouped(attention, has_mask);
    let [y, log_sums, dq, dk, dv] = run_grouped(attention, &given, &dy, None);
    let wide = reference::Given {
        parts: given.parts.each_ref().map(|part| widen(part)),
        mask: given.mask.as_deref().map(widen),
    };
    let (expected_y, expected_log_sums) = reference::grouped_forward(attention, &wide);
    let expected = reference::grouped_backward(attention, &wide, &widen(&dy));
    let (longest, width) = (attention.queries.max(attention.keys) as f64, attention.width as f64);
    let steps = 2.0 * (width + 4.0) * width.sqrt() + 2.0 * longest + 16.0;
    let compare = |name: &str, found: &[f32], expected: &[f64], magnitudes: &[f64], steps: f64| {
        assert_eq!(found.len(), expected.len(), "{name}");
        for (index, ((&found, &expected), &size)) in found.iter().zip(expected).zip(magnitudes).enumerate() {
            let tolerance = steps * (size + 1e-30) * f64::from(f32::EPSILON) / 2.0;
            let error = (f64::from(found) - expected).abs();
            assert!(error <= tolerance, "{attention:?}: {name}[{index}] is {found}, not {expected}");
        }
    };
    compare("y", &y, &expected_y.values, &expected_y.magnitudes, steps);
    let sizes: Vec<f64> = expected_log_sums.iter().map(|sum| sum.abs() + 1.0).collect();
    compare("log_sums", &log_sums, &expected_log_sums, &sizes, steps);
    let group = (attention.heads / attention.kv_heads) as f64;
    let steps = 2.0 * steps + 2.0 * width + longest * group;
    for (name, (found, expected)) in ["dq", "dk", "dv"].into_iter().zip([dq, dk, dv].iter().zip(&expected)) {
        compare(name, found, &expected.values, &expected.magnitudes, steps);
    }
}

const GROUPED: GroupedAttention = GroupedAttention {
    batch: 2,
    queries: 70,
    keys: 135,
    heads: 4,
    kv_heads: 2,
    width: 5,
    causal: false,
    dropout: Some(DROPOUT),
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn grouped_attention_matches_reference(
        batch in 1..3_usize,
        queries in 1..30_usize,
        keys in 1..30_usize,
        kv_heads in 1..3_usize,
        group in 1..4_usize,
        width in 1..12_usize,
        drops: bool,
        has_mask: bool,
        causal: bool,
    ) {
        let queries = if causal { keys } else { queries };
        let dropout = drops.then_some(DROPOUT);
        let heads = kv_heads * group;
        check_grouped(&GroupedAttention { batch, queries, keys, heads, kv_heads, width, causal, dropout }, has_mask);
    }
}

#[test]
fn grouped_attention_matches_reference_over_many_tiles() {
    check_grouped(&GROUPED, true);
    check_grouped(&GROUPED, false);
    check_grouped(&GroupedAttention { queries: 270, keys: 270, causal: true, ..GROUPED }, true);
}

/// With one head for each query head, the packed form has the same arithmetic.
#[test]
fn grouped_attention_of_equal_heads_has_bits_of_packed_attention() {
    let (qkv, dy) = data(&LARGE);
    let Attention { batch, length, heads, width, causal, dropout } = LARGE;
    let expected = run(&LARGE, &qkv, &dy);
    let attention = GroupedAttention {
        batch,
        queries: length,
        keys: length,
        heads,
        kv_heads: heads,
        width,
        causal,
        dropout,
    };
    let part = |values: &[f32], part: usize| -> Vec<f32> {
        values.chunks(heads * width).skip(part).step_by(3).flatten().copied().collect()
    };
    let parts = |values: &[f32]| [part(values, 0), part(values, 1), part(values, 2)];
    let found = run_grouped(&attention, &Grouped { parts: parts(&qkv), mask: None }, &dy, None);
    assert_eq!(bits(&found[..2]), bits(&expected[..2]));
    assert_eq!(bits(&found[2..]), bits(&parts(&expected[2])));
}

#[test]
fn grouped_attention_does_not_depend_on_simd_level_or_threads() {
    let (given, dy) = grouped(&GROUPED, true);
    let expected = bits(&run_grouped(&GROUPED, &given, &dy, None));
    for &level in Level::available() {
        let found = simd::at_level(level, || run_grouped(&GROUPED, &given, &dy, None));
        assert_eq!(bits(&found), expected, "{level:?}");
    }
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        assert_eq!(bits(&pool.install(|| run_grouped(&GROUPED, &given, &dy, None))), expected, "{threads}");
    }
}

#[test]
fn grouped_attention_adds_to_gradients() {
    let (given, dy) = grouped(&GROUPED, true);
    let [.., dq, dk, dv] = run_grouped(&GROUPED, &given, &dy, None);
    let [.., more_q, more_k, more_v] = run_grouped(&GROUPED, &given, &dy, Some(2.0));
    for (alone, more) in [(dq, more_q), (dk, more_k), (dv, more_v)] {
        assert!(alone.iter().zip(&more).all(|(alone, more)| (2.0 + alone).to_bits() == more.to_bits()));
    }
}

/// Masked keys have no effect on any result, and their gradients are 0; a sample without keys has the result 0.
#[test]
fn masked_keys_have_no_effect() {
    let (given, dy) = grouped(&GROUPED, true);
    let expected = run_grouped(&GROUPED, &given, &dy, None);
    let mut other = Grouped { parts: given.parts.clone(), mask: given.mask.clone() };
    let row = GROUPED.kv_heads * GROUPED.width;
    let mask = given.mask.as_deref().expect("a mask");
    for part in &mut other.parts[1..] {
        for (row, _) in part.chunks_mut(row).zip(mask).filter(|(_, mask)| **mask == 0.0) {
            row.fill(9.0);
        }
    }
    let found = run_grouped(&GROUPED, &other, &dy, None);
    assert_eq!(bits(&found), bits(&expected));
    assert!(found[0][found[0].len() / 2..].iter().all(|&y| y == 0.0));
    assert!(found[3..].iter().all(|part| part[part.len() / 2..].iter().all(|&d| d == 0.0)));
}
