use proptest::prelude::*;

use super::{Linear, reference};
use crate::epilogue::{Activation, Dropout, Epilogue};
use crate::matmul::WriteMode;
use crate::philox;
use crate::simd::{self, Level};

/// Values from -1 to 1.
fn numbers(count: usize, key: u32) -> Vec<f32> {
    let mut words = vec![0; count];
    philox::fill(&mut words, [key, 0], [0; 3]);
    words.iter().map(|&word| (f64::from(word) / f64::from(1_u32 << 31) - 1.0) as f32).collect()
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// `y`, `dx`, `dW` and `db` with no epilogue; gradients onto 1, or over contents that must not affect the result.
fn run(linear: &Linear, onto: WriteMode) -> [Vec<f32>; 4] {
    let Linear { rows, inputs, outputs } = *linear;
    let (x, weight, bias) = (numbers(rows * inputs, 1), numbers(outputs * inputs, 2), numbers(outputs, 3));
    let dy = numbers(rows * outputs, 4);
    let there = if onto == WriteMode::Accumulate { 1.0 } else { f32::NAN };
    let mut y = vec![f32::NAN; rows * outputs];
    linear.forward(&x, &weight, Some(&bias), &Epilogue::NONE, None, &mut y);
    let [mut dx, mut d_weight, mut d_bias] = [&x, &weight, &bias].map(|value| vec![there; value.len()]);
    linear.backward_weight(&x, &dy, (&mut d_weight, onto), Some((&mut d_bias, onto)));
    linear.backward_input(&dy, &weight, (&mut dx, onto));
    [y, dx, d_weight, d_bias]
}

/// The kernel against the reference: a sum of `n` products has at most `n + 1` roundings of 2^-24 of the sum of the
/// absolute values of its terms, the bias or what it is added to one more each.
fn check(linear: &Linear, onto: WriteMode) {
    let Linear { rows, inputs, outputs } = *linear;
    let [x, weight, bias] = [numbers(rows * inputs, 1), numbers(outputs * inputs, 2), numbers(outputs, 3)]
        .map(|values| widen(&values));
    let y = reference::forward(inputs, &x, &weight, &bias);
    let [dx, d_weight, d_bias] =
        reference::backward(inputs, &x, &weight, &widen(&numbers(rows * outputs, 4)));
    let found = run(linear, onto);
    for (number, (found, (expected, terms))) in
        found.iter().zip([(y, inputs), (dx, outputs), (d_weight, rows), (d_bias, rows)]).enumerate()
    {
        assert_eq!(found.len(), expected.len());
        let there = if onto == WriteMode::Accumulate && number > 0 { 1.0 } else { 0.0 };
        for (&found, (sum, size)) in found.iter().zip(expected) {
            let tolerance = (terms + 3) as f64 * (size + there) * f64::from(f32::EPSILON) / 2.0;
            let error = (f64::from(found) - (sum + there)).abs();
            assert!(error <= tolerance, "{linear:?}: part {number} is {found}, not {}", sum + there);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn matches_reference(
        rows in 0..40_usize,
        inputs in 1..50_usize,
        outputs in 1..40_usize,
        adds: bool,
    ) {
        check(&Linear { rows, inputs, outputs }, if adds { WriteMode::Accumulate } else { WriteMode::Overwrite });
    }
}

#[test]
fn matches_reference_over_many_blocks() {
    check(&Linear { rows: 70, inputs: 300, outputs: 130 }, WriteMode::Accumulate);
    check(&Linear { rows: 300, inputs: 5, outputs: 600 }, WriteMode::Overwrite);
}

/// The reference is linear in each of its arguments, so that differences are exact but for the rounding of sums.
#[test]
fn reference_gradient_matches_finite_differences() {
    let (rows, inputs, outputs) = (3, 4, 5);
    let dy = widen(&numbers(rows * outputs, 4));
    let mut values = [numbers(rows * inputs, 1), numbers(outputs * inputs, 2), numbers(outputs, 3)]
        .map(|part| widen(&part));
    let gradient = reference::backward(inputs, &values[0], &values[1], &dy);
    let loss = |[x, weight, bias]: &[Vec<f64>; 3]| -> f64 {
        reference::forward(inputs, x, weight, bias).iter().zip(&dy).map(|((y, _), dy)| y * dy).sum()
    };
    for part in 0..3 {
        for index in 0..values[part].len() {
            let value = values[part][index];
            values[part][index] = value + 0.5;
            let above = loss(&values);
            values[part][index] = value - 0.5;
            let slope = above - loss(&values);
            values[part][index] = value;
            assert!((slope - gradient[part][index].0).abs() < 1e-12);
        }
    }
}

#[test]
fn fused_epilogue_equals_epilogue_of_whole_output() {
    // Rows come in several runs.
    let (rows, inputs, outputs) = (20, 10, 1100);
    let linear = Linear { rows, inputs, outputs };
    let (x, weight, bias) = (numbers(rows * inputs, 1), numbers(outputs * inputs, 2), numbers(outputs, 3));
    let residual = numbers(rows * outputs, 5);
    let dropout =
        Dropout { key: [1, 2], place: [3, 4, 5], threshold: u32::MAX / 4, scale: 4.0 / 3.0, each: 1 };
    let epilogue = Epilogue {
        activation: Activation::Silu,
        dropout: Some(dropout),
        residual: Some(&residual),
        then: Activation::Relu,
    };
    for bias in [Some(bias.as_slice()), None] {
        let mut plain = vec![f32::NAN; rows * outputs];
        linear.forward(&x, &weight, bias, &Epilogue::NONE, None, &mut plain);
        let [mut pre, mut y, mut again] = [(); 3].map(|()| vec![f32::NAN; rows * outputs]);
        linear.forward(&x, &weight, bias, &epilogue, Some(&mut pre), &mut y);
        linear.forward(&x, &weight, bias, &epilogue, None, &mut again);
        assert_eq!(bits(&pre), bits(&plain));
        assert_eq!(bits(&y), bits(&again));
        epilogue.forward_all_in_place(&mut plain);
        assert_eq!(bits(&y), bits(&plain));
    }
}

#[test]
fn results_do_not_depend_on_simd_level_or_threads() {
    let linear = Linear { rows: 130, inputs: 270, outputs: 150 };
    let expected = run(&linear, WriteMode::Overwrite);
    for &level in Level::available() {
        let found = simd::at_level(level, || run(&linear, WriteMode::Overwrite));
        assert!(
            found.iter().zip(&expected).all(|(found, expected)| bits(found) == bits(expected)),
            "{level:?}"
        );
    }
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let found = pool.install(|| run(&linear, WriteMode::Overwrite));
        assert!(
            found.iter().zip(&expected).all(|(found, expected)| bits(found) == bits(expected)),
            "{threads}"
        );
    }
}

#[test]
fn sample_result_does_not_depend_on_other_samples() {
    for outputs in [1, 10, 70] {
        let all = Linear { rows: 40, inputs: 300, outputs };
        let (x, weight, dy) = (numbers(40 * 300, 1), numbers(outputs * 300, 2), numbers(40 * outputs, 4));
        let run = |linear: &Linear, x: &[f32], dy: &[f32]| {
            let (mut y, mut dx) = (vec![f32::NAN; dy.len()], vec![f32::NAN; x.len()]);
            linear.forward(x, &weight, None, &Epilogue::NONE, None, &mut y);
            linear.backward_input(dy, &weight, (&mut dx, WriteMode::Overwrite));
            [y, dx]
        };
        let [y, dx] = run(&all, &x, &dy);
        for row in 0..all.rows {
            let (of_x, of_y) = (row * 300..(row + 1) * 300, row * outputs..(row + 1) * outputs);
            let alone = run(&Linear { rows: 1, ..all }, &x[of_x.clone()], &dy[of_y.clone()]);
            assert_eq!(alone.map(|part| bits(&part)), [bits(&y[of_y]), bits(&dx[of_x])]);
        }
    }
}

#[test]
fn packed_weight_gives_the_same_bits() {
    for (inputs, outputs) in [(300, 5), (300, 150), (5, 600), (0, 7)] {
        for rows in [1, 2, 40] {
            let linear = Linear { rows, inputs, outputs };
            let (x, weight) = (numbers(rows * inputs, 1), numbers(outputs * inputs, 2));
            let bias = numbers(outputs, 3);
            let relu = Epilogue { activation: Activation::Relu, ..Epilogue::NONE };
            let [mut y, mut pre, mut same, mut same_pre] = [(); 4].map(|()| vec![f32::NAN; rows * outputs]);
            linear.forward(&x, &weight, Some(&bias), &relu, Some(&mut pre), &mut y);
            let packed = Linear { rows: 1, ..linear }.pack(&weight);
            assert!(packed.is_some());
            // Of a packed weight, the values are not read.
            let weight = (&vec![f32::NAN; weight.len()][..], packed.as_ref());
            linear.forward(&x, weight, Some(&bias), &relu, Some(&mut same_pre), &mut same);
            assert_eq!([bits(&same_pre), bits(&same)], [bits(&pre), bits(&y)], "{linear:?}");
        }
    }
    assert!(Linear { rows: 1, inputs: 3, outputs: 1 }.pack(&[1.0; 3]).is_none());
}

#[test]
#[should_panic(expected = "the packed weight is of this layer")]
fn packed_weight_of_other_sizes_is_rejected() {
    let packed = Linear { rows: 1, inputs: 6, outputs: 5 }.pack(&[1.0; 30]);
    let weight = (&[1.0; 30][..], packed.as_ref());
    Linear { rows: 1, inputs: 5, outputs: 6 }.forward(
        &[1.0; 5],
        weight,
        None,
        &Epilogue::NONE,
        None,
        &mut [0.0; 6],
    );
}

#[test]
fn empty_input_is_accepted() {
    for (rows, inputs, outputs) in [(0, 3, 2), (3, 0, 2), (3, 2, 0)] {
        let [y, dx, ..] = run(&Linear { rows, inputs, outputs }, WriteMode::Overwrite);
        assert!(dx.iter().all(|&value| value == 0.0));
        for row in y.chunks_exact(outputs.max(1)) {
            assert_eq!(row, numbers(outputs, 3));
        }
    }
}

#[test]
#[should_panic(expected = "pre is [rows, outputs]")]
fn lengths_are_checked() {
    let linear = Linear { rows: 1, inputs: 1, outputs: 1 };
    linear.forward(&[1.0], &[1.0], None, &Epilogue::NONE, Some(&mut []), &mut [0.0]);
}
