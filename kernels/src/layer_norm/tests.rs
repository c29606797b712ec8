use proptest::prelude::*;

use super::{LayerNorm, RmsNorm, reference};
use crate::matmul::WriteMode;
use crate::reduce::testing::{ROUNDING, bits, compare, differentiate, numbers, same_bits, vanishes, widen};

const EPS: f32 = 1e-5;

struct Data {
    x: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    dy: Vec<f32>,
}

/// `x` within `spread` of `offset`, the others within 1.
fn data(rows: usize, features: usize, offset: f32, spread: f32) -> Data {
    Data {
        x: numbers(rows * features, 1).into_iter().map(|x| x.mul_add(spread, offset)).collect(),
        weight: numbers(features, 2),
        bias: numbers(features, 3),
        dy: numbers(rows * features, 4),
    }
}

/// `statistics`, `y`, `dx`, `d_weight` and `d_bias`; layer normalization if `centered`.
fn run(data: &Data, centered: bool, onto: WriteMode) -> [Vec<f32>; 5] {
    let Data { x, weight, bias, dy } = data;
    let features = weight.len();
    let rows = x.len() / features.max(1);
    // The previous contents must not affect the results.
    let mut statistics = vec![f32::NAN; if centered { 3 * rows } else { rows }];
    let [mut y, mut inferred] = [(); 2].map(|()| vec![f32::NAN; x.len()]);
    let there = if onto == WriteMode::Accumulate { 1.0 } else { f32::NAN };
    let [mut dx, mut d_weight, mut d_bias] = [x, weight, bias].map(|value| vec![there; value.len()]);
    let (to_x, to_weight, to_bias) = ((&mut *dx, onto), (&mut *d_weight, onto), (&mut *d_bias, onto));
    if centered {
        let norm = LayerNorm { rows, features, eps: EPS };
        norm.forward(x, Some(weight), Some(bias), &mut statistics, &mut y);
        norm.infer(x, Some(weight), Some(bias), &mut inferred);
        norm.backward(x, Some(weight), &statistics, dy, Some(to_x), Some(to_weight), Some(to_bias));
    } else {
        let norm = RmsNorm { rows, features, eps: EPS };
        norm.forward(x, weight, &mut statistics, &mut y);
        norm.infer(x, weight, &mut inferred);
        norm.backward(x, weight, &statistics, dy, Some(to_x), to_weight);
        d_bias.clear();
    }
    assert_eq!(bits(&[inferred]), bits(&[&y]));
    [statistics, y, dx, d_weight, d_bias]
}

/// The kernels against the reference.
///
/// With u = 2^-24: a sum in a vector has at most 38 consecutive roundings (34 additions, and the terms), then goes
/// on in f64. So the mean, with its rest, of values within `s` of a center is off by `38 u 2 s`, and by `u` of the rest,
/// which is within `u |mean|`; the variance by `38 u` of itself and by the square of the mean's error (a shift of all
/// differences has no other effect), and `1 / sqrt` by half of that, relatively. `xhat` has both, `y` two roundings more. A sum over vectors has at most 32 + 32 + 2 roundings.
fn check(rows: usize, features: usize, centered: bool, offset: f32, spread: f32) {
    let data = data(rows, features, offset, spread);
    let [statistics, y, dx, d_weight, d_bias] = run(&data, centered, WriteMode::Overwrite);
    let [x, weight, mut bias, dy] = [&data.x, &data.weight, &data.bias, &data.dy].map(|values| widen(values));
    if !centered {
        bias.fill(0.0);
    }
    let eps = f64::from(EPS);
    let expected_y = reference::forward(&x, &weight, &bias, centered, eps);
    let [expected_dx, expected_d_weight, expected_d_bias] =
        reference::backward(&x, &weight, &dy, centered, eps);

    let sum = 38.0 * ROUNDING;
    let length = features as f64;
    let (mut off_weight, mut off_bias) = (vec![0.0; features], vec![0.0; features]);
    for row in 0..rows {
        let part = row * features..(row + 1) * features;
        let (x, dy) = (&x[part.clone()], &dy[part.clone()]);
        let [mean, inverse] = reference::statistics(x, centered, eps);
        let within = 2.0 * sum * f64::from(spread) + ROUNDING * ROUNDING * mean.abs();
        let off_mean = if centered { within } else { 0.0 };
        let relative = sum + (off_mean * inverse).powi(2);
        if centered {
            let (found, rest) = (statistics[3 * row], statistics[3 * row + 2]);
            compare("mean", &[found], &[mean], &[ROUNDING * mean.abs() + off_mean]);
            compare("rest", &[rest], &[mean - f64::from(found)], &[off_mean]);
        }
        let found = if centered { &statistics[3 * row + 1..][..1] } else { &statistics[row..][..1] };
        compare("inverse", found, &[inverse], &[relative * inverse]);

        let xhat: Vec<f64> = x.iter().map(|x| (x - mean) * inverse).collect();
        let off_xhat: Vec<f64> =
            xhat.iter().map(|xhat| off_mean * inverse + xhat.abs() * (relative + 3.0 * ROUNDING)).collect();
        let size = |i: usize| dy[i].abs() * weight[i].abs();
        let sizes: f64 = if centered { (0..features).map(size).sum() } else { 0.0 };
        let products: f64 = (0..features).map(|i| size(i) * xhat[i].abs()).sum();
        let off_products: f64 = (0..features).map(|i| size(i) * off_xhat[i]).sum();
        for i in 0..features {
            let at = part.start + i;
            let off = weight[i].abs() * off_xhat[i] + 2.0 * ROUNDING * (expected_y[at].abs() + bias[i].abs());
            compare("y", &y[at..][..1], &[expected_y[at]], &[off]);
            let all = size(i) + sizes / length + xhat[i].abs() * products / length;
            let off = off_xhat[i] * products + xhat[i].abs() * off_products;
            // The inverse, 3 times at most; a sum; what is made of them.
            let off = inverse * (off / length + all * (3.0 * relative + sum + 6.0 * ROUNDING));
            compare("dx", &dx[at..][..1], &[expected_dx[at]], &[off]);
            off_weight[i] += dy[i].abs() * (off_xhat[i] + 66.0 * ROUNDING * xhat[i].abs());
            off_bias[i] += dy[i].abs() * 66.0 * ROUNDING;
        }
    }
    compare("d_weight", &d_weight, &expected_d_weight, &off_weight);
    if centered {
        compare("d_bias", &d_bias, &expected_d_bias, &off_bias);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn matches_reference(
        rows in 1..70_usize,
        features in 1..80_usize,
        centered: bool,
        offset in -20.0_f32..20.0,
        spread in 0.1_f32..3.0,
    ) {
        check(rows, features, centered, offset, spread);
    }
}

#[test]
fn matches_reference_for_large_inputs() {
    for centered in [false, true] {
        check(40, 1100, centered, 1.0, 1.0);
        check(2500, 3, centered, 0.0, 1.0);
        check(300, 128, centered, 10.0, 1.0);
    }
}

#[test]
fn large_mean_does_not_cause_cancellation() {
    check(5, 300, true, 30_000.0, 1.0);
}

/// The gradient of a bias before the normalization.
#[test]
fn input_gradient_sums_to_zero() {
    for features in [64, 256, 5000] {
        let mut data = data(9, features, 0.6, 0.1);
        // Along `xhat`, so that the entire error of the mean is visible.
        for (dy, x) in data.dy.iter_mut().zip(&data.x) {
            *dy += (x - 0.6) * 10.0;
        }
        data.weight.fill(0.7);
        let [statistics, _, dx, ..] = run(&data, true, WriteMode::Overwrite);
        for row in 0..9 {
            let part = row * features..(row + 1) * features;
            let inverse = f64::from(statistics[3 * row + 1]);
            let (x, dy) = (&widen(&data.x[part.clone()]), &widen(&data.dy[part.clone()]));
            let mean = |of: &dyn Fn(usize) -> f64| (0..features).map(of).sum::<f64>() / features as f64;
            let center = mean(&|at| x[at]);
            let xhat = |at: usize| (x[at] - center) * inverse;
            let (of_bias, of_weight) = (mean(&|at| dy[at]), mean(&|at| dy[at] * xhat(at)));
            let size = |at: usize| dy[at].abs() + (of_weight * xhat(at)).abs();
            let largest = (0..features).map(size).fold(0.0, f64::max) + of_bias.abs();
            vanishes("dx", &dx[part], 0.7 * inverse * largest, 0.7 * inverse * of_bias);
        }
    }
}

#[test]
fn reference_gradient_matches_finite_differences() {
    for centered in [false, true] {
        let data = data(3, 4, 0.5, 1.0);
        let [mut x, mut weight, mut bias, dy] =
            [&data.x, &data.weight, &data.bias, &data.dy].map(|values| widen(values));
        let [dx, d_weight, d_bias] = reference::backward(&x, &weight, &dy, centered, 0.1);
        let loss = |x: &[f64], weight: &[f64], bias: &[f64]| -> f64 {
            reference::forward(x, weight, bias, centered, 0.1).iter().zip(&dy).map(|(y, dy)| y * dy).sum()
        };
        let (x2, weight2, bias2) = (x.clone(), weight.clone(), bias.clone());
        differentiate(&mut x, &dx, 1e-7, |x| loss(x, &weight2, &bias2));
        differentiate(&mut weight, &d_weight, 1e-7, |weight| loss(&x2, weight, &bias2));
        differentiate(&mut bias, &d_bias, 1e-7, |bias| loss(&x2, &weight2, bias));
    }
}

#[test]
fn results_do_not_depend_on_simd_level_or_threads() {
    for centered in [false, true] {
        for (rows, features) in [(3, 5), (300, 300), (40, 1041)] {
            let data = data(rows, features, 1.0, 1.0);
            same_bits(|| run(&data, centered, WriteMode::Accumulate).to_vec());
        }
    }
}

#[test]
fn vector_result_does_not_depend_on_other_vectors() {
    for centered in [false, true] {
        let all = data(300, 130, 0.0, 1.0);
        let together = run(&all, centered, WriteMode::Overwrite);
        for row in [0, 131, 299] {
            let pick = |values: &[f32]| values[row * 130..][..130].to_vec();
            let one = Data {
                x: pick(&all.x),
                dy: pick(&all.dy),
                weight: all.weight.clone(),
                bias: all.bias.clone(),
            };
            let [_, y, dx, ..] = run(&one, centered, WriteMode::Overwrite);
            assert_eq!(bits(&[y, dx]), bits(&[pick(&together[1]), pick(&together[2])]));
        }
    }
}

#[test]
fn gradients_accumulate_and_are_optional() {
    let data = data(70, 33, 0.0, 1.0);
    for centered in [false, true] {
        let [replaced, added] =
            [WriteMode::Overwrite, WriteMode::Accumulate].map(|onto| run(&data, centered, onto));
        for (replaced, added) in replaced.iter().zip(&added).skip(2) {
            let expected: Vec<f32> = replaced.iter().map(|value| 1.0 + value).collect();
            assert_eq!(bits(&[expected]), bits(&[added]));
        }
    }
    let norm = LayerNorm { rows: 70, features: 33, eps: EPS };
    let [statistics, _, dx, d_weight, _] = run(&data, true, WriteMode::Overwrite);
    let (x, weight, dy) = (&data.x, Some(&*data.weight), &data.dy);
    let (mut to_x, mut to_weight) = (dx.clone(), d_weight.clone());
    norm.backward(x, weight, &statistics, dy, Some((&mut to_x, WriteMode::Overwrite)), None, None);
    norm.backward(x, weight, &statistics, dy, None, Some((&mut to_weight, WriteMode::Overwrite)), None);
    assert_eq!(bits(&[to_x, to_weight]), bits(&[dx, d_weight]));
}

#[test]
fn missing_weight_equals_weight_of_ones() {
    let mut data = data(5, 20, 0.0, 1.0);
    data.weight.fill(1.0);
    data.bias.fill(0.0);
    let [statistics, y, dx, ..] = run(&data, true, WriteMode::Overwrite);
    let norm = LayerNorm { rows: 5, features: 20, eps: EPS };
    let [mut found_y, mut found_dx] = [vec![f32::NAN; 100], vec![f32::NAN; 100]];
    norm.infer(&data.x, None, None, &mut found_y);
    let to_x = Some((&mut *found_dx, WriteMode::Overwrite));
    norm.backward(&data.x, None, &statistics, &data.dy, to_x, None, None);
    assert_eq!(bits(&[found_y, found_dx]), bits(&[y, dx]));
}

#[test]
fn nan_propagates_within_its_vector() {
    for centered in [false, true] {
        let mut data = data(2, 3, 0.0, 1.0);
        data.x[1] = f32::NAN;
        let [_, y, dx, d_weight, _] = run(&data, centered, WriteMode::Overwrite);
        assert!(y[..3].iter().chain(&dx[..3]).chain(&d_weight).all(|value| value.is_nan()));
        assert!(y[3..].iter().chain(&dx[3..]).all(|value| value.is_finite()));
    }
}

#[test]
fn empty_input_is_accepted() {
    for (rows, features) in [(0, 3), (3, 0), (0, 0)] {
        let mut d_weight = vec![f32::NAN; features];
        let mut d_bias = d_weight.clone();
        let weight = vec![1.0; features];
        let norm = LayerNorm { rows, features, eps: EPS };
        let mut statistics = vec![0.0; 3 * rows];
        norm.forward(&[], Some(&weight), None, &mut statistics, &mut []);
        let (to_weight, to_bias) =
            ((&mut *d_weight, WriteMode::Overwrite), (&mut *d_bias, WriteMode::Overwrite));
        let to_x = Some((&mut [][..], WriteMode::Overwrite));
        norm.backward(&[], Some(&weight), &statistics, &[], to_x, Some(to_weight), Some(to_bias));
        assert!(d_weight.iter().chain(&d_bias).all(|&value| value == 0.0));

        let norm = RmsNorm { rows, features, eps: EPS };
        norm.forward(&[], &weight, &mut statistics[..rows], &mut []);
        norm.backward(&[], &weight, &statistics[..rows], &[], None, (&mut d_weight, WriteMode::Accumulate));
    }
}

#[test]
#[should_panic(expected = "statistics are [rows, 3]")]
fn lengths_are_checked() {
    LayerNorm { rows: 1, features: 1, eps: EPS }.forward(&[1.0], None, None, &mut [0.0], &mut [0.0]);
}

/// Squares from 1.8e19 on are infinite in f32, and the inverse of infinity is 0: failed when every result was the bias.
#[test]
fn infinite_squares_make_outputs_non_finite() {
    let (mut statistics, mut y) = ([0.0; 6], [0.0; 6]);
    for size in [3e19, 1e30, f32::MAX] {
        let x = [size, -size, 0.5 * size, 1.0, 2.0, 3.0];
        let norm = LayerNorm { rows: 2, features: 3, eps: 1e-5 };
        norm.forward(&x, Some(&[1.0; 3]), Some(&[0.5; 3]), &mut statistics, &mut y);
        assert!(y[..3].iter().all(|y| y.is_nan()) && y[3..].iter().all(|y| y.is_finite()), "{size}: {y:?}");
        let norm = RmsNorm { rows: 2, features: 3, eps: 1e-5 };
        norm.forward(&x, &[1.0; 3], &mut statistics[..2], &mut y);
        assert!(y[..3].iter().all(|y| y.is_nan()) && y[3..].iter().all(|y| y.is_finite()), "{size}: {y:?}");
    }
}
