use proptest::prelude::*;

use super::{GroupNorm, reference};
use crate::matmul::WriteMode;
use crate::reduce::testing::{ROUNDING, bits, compare, differentiate, numbers, same_bits, vanishes, widen};

struct Data {
    x: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    dy: Vec<f32>,
}

/// `x` within `spread` of `offset`, the others within 1.
fn data(norm: &GroupNorm, offset: f32, spread: f32) -> Data {
    let count = norm.batch * norm.channels * norm.places;
    Data {
        x: numbers(count, 1).into_iter().map(|x| x.mul_add(spread, offset)).collect(),
        weight: numbers(norm.channels, 2),
        bias: numbers(norm.channels, 3),
        dy: numbers(count, 4),
    }
}

/// `statistics`, `y`, `dx`, `d_weight` and `d_bias`.
fn run(norm: &GroupNorm, data: &Data, onto: WriteMode) -> [Vec<f32>; 5] {
    let Data { x, weight, bias, dy } = data;
    // The previous contents must not affect the results.
    let mut statistics = vec![f32::NAN; 3 * norm.batch * norm.groups];
    let [mut y, mut inferred] = [(); 2].map(|()| vec![f32::NAN; x.len()]);
    norm.forward(x, weight, bias, &mut statistics, &mut y);
    norm.infer(x, weight, bias, &mut inferred);
    assert_eq!(bits(&[&inferred]), bits(&[&y]));
    let there = if onto == WriteMode::Accumulate { 1.0 } else { f32::NAN };
    let [mut dx, mut d_weight, mut d_bias] = [x, weight, bias].map(|value| vec![there; value.len()]);
    let [to_x, to_weight, to_bias] = [&mut dx, &mut d_weight, &mut d_bias].map(|d| (&mut **d, onto));
    norm.backward(x, weight, &statistics, dy, Some(to_x), to_weight, to_bias);
    [statistics, y, dx, d_weight, d_bias]
}

/// The kernel against the reference.
///
/// With u = 2^-24: a sum in a group has at most 38 consecutive roundings (34 additions, and the terms), then goes
/// on in f64. So the mean, with its rest, of values within `s` of a center is off by `38 u 2 s`, and by `u` of the rest,
/// which is within `u |mean|`; the variance by `38 u` of itself and by the square of the mean's error, and `1 / sqrt` by
/// half of that, relatively. `xhat` has both, `y` two roundings more. Sums of a channel have the same 38 roundings, and go
/// on in f64.
fn check(norm: &GroupNorm, offset: f32, spread: f32) {
    let data = data(norm, offset, spread);
    let [statistics, y, dx, d_weight, d_bias] = run(norm, &data, WriteMode::Overwrite);
    let [x, weight, bias, dy] = [&data.x, &data.weight, &data.bias, &data.dy].map(|values| widen(values));
    let expected_y = reference::forward(norm, &x, &weight, &bias);
    let [expected_dx, expected_d_weight, expected_d_bias] = reference::backward(norm, &x, &weight, &dy);

    let sum = 38.0 * ROUNDING;
    let length = norm.width() * norm.places;
    let (mut off_weight, mut off_bias) = (vec![0.0; norm.channels], vec![0.0; norm.channels]);
    for group in 0..norm.batch * norm.groups {
        let part = group * length..(group + 1) * length;
        let (x, dy) = (&x[part.clone()], &dy[part.clone()]);
        let [mean, inverse] = reference::statistics(norm, x);
        let off_mean = 2.0 * sum * f64::from(spread) + ROUNDING * ROUNDING * mean.abs();
        let relative = sum + (off_mean * inverse).powi(2);
        let found = &statistics[3 * group..][..3];
        let off = [ROUNDING * mean.abs() + off_mean, relative * inverse, off_mean];
        compare("statistics", found, &[mean, inverse, mean - f64::from(found[0])], &off);

        let channel = |at: usize| reference::channel(norm, group, at);
        let xhat = |at: usize| ((x[at] - mean) * inverse).abs();
        let off_xhat = |at: usize| off_mean * inverse + xhat(at) * (relative + 3.0 * ROUNDING);
        let size = |at: usize| dy[at].abs() * weight[channel(at)].abs();
        let mean_of = |term: &dyn Fn(usize) -> f64| (0..length).map(term).sum::<f64>() / length as f64;
        let [sizes, products] = [mean_of(&size), mean_of(&|at| size(at) * xhat(at))];
        let off_products = mean_of(&|at| size(at) * off_xhat(at));
        for (at, dy) in dy.iter().enumerate() {
            let (all, channel) = (part.start + at, channel(at));
            let off = 2.0 * ROUNDING * (expected_y[all].abs() + bias[channel].abs());
            let off = off + weight[channel].abs() * off_xhat(at);
            compare("y", &y[all..][..1], &[expected_y[all]], &[off]);
            let terms = size(at) + sizes + xhat(at) * products;
            let off = off_xhat(at) * products + xhat(at) * off_products;
            // The inverse, 3 times at most; a sum; what is made of them.
            let off = inverse * (off + terms * (3.0 * relative + sum + 6.0 * ROUNDING));
            compare("dx", &dx[all..][..1], &[expected_dx[all]], &[off]);
            off_weight[channel] += dy.abs() * (off_xhat(at) + 2.0 * sum * xhat(at));
            off_bias[channel] += dy.abs() * 2.0 * sum;
        }
    }
    compare("d_weight", &d_weight, &expected_d_weight, &off_weight);
    compare("d_bias", &d_bias, &expected_d_bias, &off_bias);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn matches_reference(
        batch in 1..4_usize,
        groups in 1..4_usize,
        width in 1..4_usize,
        places in 1..40_usize,
        offset in -20.0_f32..20.0,
        spread in 0.1_f32..3.0,
    ) {
        check(&GroupNorm { batch, channels: groups * width, places, groups, eps: 1e-5 }, offset, spread);
    }
}

/// Several blocks of groups.
const LARGE: GroupNorm = GroupNorm { batch: 41, channels: 6, places: 450, groups: 3, eps: 1e-5 };

#[test]
fn matches_reference_for_large_inputs() {
    check(&GroupNorm { batch: 21, ..LARGE }, 1.0, 1.0);
}

#[test]
fn large_mean_does_not_cause_cancellation() {
    check(&GroupNorm { batch: 5, ..LARGE }, 30_000.0, 1.0);
}

/// The gradient of a bias before the normalization.
#[test]
fn input_gradient_sums_to_zero() {
    let norm = GroupNorm { batch: 9, eps: 1e-9, ..LARGE };
    let mut data = data(&norm, 0.6, 1e-3);
    // Along `xhat`, so that the entire error of the mean is visible.
    for (dy, x) in data.dy.iter_mut().zip(&data.x) {
        *dy += (x - 0.6) * 1e3;
    }
    let [statistics, _, dx, ..] = run(&norm, &data, WriteMode::Overwrite);
    let length = norm.width() * norm.places;
    for group in 0..norm.batch * norm.groups {
        let part = group * length..(group + 1) * length;
        let inverse = f64::from(statistics[3 * group + 1]);
        let (x, dy) = (&widen(&data.x[part.clone()]), &widen(&data.dy[part.clone()]));
        let weight = |at: usize| f64::from(data.weight[reference::channel(&norm, group, at)]);
        let mean = |of: &dyn Fn(usize) -> f64| (0..length).map(of).sum::<f64>() / length as f64;
        let center = mean(&|at| x[at]);
        let xhat = |at: usize| (x[at] - center) * inverse;
        let g = |at: usize| weight(at) * dy[at];
        let (of_bias, of_weight) = (mean(&g), mean(&|at| g(at) * xhat(at)));
        let size = |at: usize| g(at).abs() + (of_weight * xhat(at)).abs();
        let largest = (0..length).map(size).fold(0.0, f64::max) + of_bias.abs();
        vanishes("dx", &dx[part], inverse * largest, inverse * of_bias);
    }
}

#[test]
fn reference_gradient_matches_finite_differences() {
    let norm = GroupNorm { batch: 2, channels: 4, places: 3, groups: 2, eps: 0.1 };
    let data = data(&norm, 0.5, 1.0);
    let [mut x, mut weight, mut bias, dy] =
        [&data.x, &data.weight, &data.bias, &data.dy].map(|values| widen(values));
    let [dx, d_weight, d_bias] = reference::backward(&norm, &x, &weight, &dy);
    let loss = |x: &[f64], weight: &[f64], bias: &[f64]| -> f64 {
        reference::forward(&norm, x, weight, bias).iter().zip(&dy).map(|(y, dy)| y * dy).sum()
    };
    let (x2, weight2, bias2) = (x.clone(), weight.clone(), bias.clone());
    differentiate(&mut x, &dx, 1e-7, |x| loss(x, &weight2, &bias2));
    differentiate(&mut weight, &d_weight, 1e-7, |weight| loss(&x2, weight, &bias2));
    differentiate(&mut bias, &d_bias, 1e-7, |bias| loss(&x2, &weight2, bias));
}

#[test]
fn results_do_not_depend_on_simd_level_or_threads() {
    for norm in [LARGE, GroupNorm { batch: 2, channels: 4, places: 21, groups: 2, eps: 1e-5 }] {
        let data = data(&norm, 1.0, 1.0);
        same_bits(|| run(&norm, &data, WriteMode::Accumulate).to_vec());
    }
}

#[test]
fn sample_result_does_not_depend_on_other_samples() {
    let all = data(&LARGE, 0.0, 1.0);
    let together = run(&LARGE, &all, WriteMode::Overwrite);
    for sample in [0, 13, 40] {
        let each = LARGE.channels * LARGE.places;
        let pick = |values: &[f32]| values[sample * each..][..each].to_vec();
        let one =
            Data { x: pick(&all.x), dy: pick(&all.dy), weight: all.weight.clone(), bias: all.bias.clone() };
        let [_, y, dx, ..] = run(&GroupNorm { batch: 1, ..LARGE }, &one, WriteMode::Overwrite);
        assert_eq!(bits(&[y, dx]), bits(&[pick(&together[1]), pick(&together[2])]));
    }
}

#[test]
fn gradients_accumulate_and_input_gradient_is_optional() {
    let data = data(&LARGE, 0.0, 1.0);
    let [replaced, added] =
        [WriteMode::Overwrite, WriteMode::Accumulate].map(|onto| run(&LARGE, &data, onto));
    for (replaced, added) in replaced.iter().zip(&added).skip(2) {
        let expected: Vec<f32> = replaced.iter().map(|value| 1.0 + value).collect();
        assert_eq!(bits(&[&expected]), bits(&[added]));
    }
    let [mut d_weight, mut d_bias] = [vec![f32::NAN; LARGE.channels], vec![f32::NAN; LARGE.channels]];
    let [to_weight, to_bias] = [&mut d_weight, &mut d_bias].map(|d| (&mut **d, WriteMode::Overwrite));
    LARGE.backward(&data.x, &data.weight, &replaced[0], &data.dy, None, to_weight, to_bias);
    assert_eq!(bits(&[d_weight, d_bias]), bits(&replaced[3..]));
}

#[test]
fn nan_propagates_within_its_group() {
    let norm = GroupNorm { batch: 1, channels: 4, places: 2, groups: 2, eps: 1e-5 };
    let mut data = data(&norm, 0.0, 1.0);
    data.x[1] = f32::NAN;
    let [_, y, dx, d_weight, _] = run(&norm, &data, WriteMode::Overwrite);
    assert!(y[..4].iter().chain(&dx[..4]).chain(&d_weight[..2]).all(|value| value.is_nan()));
    assert!(y[4..].iter().chain(&dx[4..]).chain(&d_weight[2..]).all(|value| value.is_finite()));
}

#[test]
fn empty_input_is_accepted() {
    for [batch, channels, places, groups] in [[0, 4, 3, 2], [2, 0, 3, 2], [2, 4, 0, 2], [2, 0, 3, 0]] {
        let norm = GroupNorm { batch, channels, places, groups, eps: 1e-5 };
        let [_, _, _, d_weight, d_bias] = run(&norm, &data(&norm, 0.0, 1.0), WriteMode::Overwrite);
        assert!(d_weight.iter().chain(&d_bias).all(|&value| value == 0.0));
    }
}

#[test]
#[should_panic(expected = "the groups divide the channels")]
fn groups_are_checked() {
    let norm = GroupNorm { batch: 1, channels: 3, places: 1, groups: 2, eps: 1e-5 };
    norm.infer(&[0.0; 3], &[0.0; 3], &[0.0; 3], &mut [0.0; 3]);
}

/// Squares from 1.8e19 on are infinite in f32, and the inverse of infinity is 0: failed when every result was the bias.
#[test]
fn infinite_squares_make_outputs_non_finite() {
    let norm = GroupNorm { batch: 2, channels: 2, places: 2, groups: 1, eps: 1e-5 };
    let (mut statistics, mut y) = ([0.0; 6], [0.0; 8]);
    for size in [3e19, 1e30, f32::MAX] {
        let x = [size, -size, 0.5 * size, 0.0, 1.0, 2.0, 3.0, 4.0];
        norm.forward(&x, &[1.0; 2], &[0.5; 2], &mut statistics, &mut y);
        assert!(y[..4].iter().all(|y| y.is_nan()) && y[4..].iter().all(|y| y.is_finite()), "{size}: {y:?}");
    }
}
