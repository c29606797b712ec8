use proptest::prelude::*;

use super::{BatchNorm, reference};
use crate::epilogue::{Activation, Dropout, Epilogue, Saved};
use crate::matmul::WriteMode;
use crate::reduce::testing::{ROUNDING, bits, compare, differentiate, numbers, same_bits, vanishes, widen};

const DROPOUT: Dropout =
    Dropout { key: [1, 2], place: [3, 4, 5], threshold: u32::MAX / 4, scale: 4.0 / 3.0, each: 1 };

/// Epilogues of every way through the kernels.
fn epilogues(residual: &[f32]) -> [Epilogue<'_>; 8] {
    let none = Epilogue::NONE;
    let relu = Epilogue { activation: Activation::Relu, ..none };
    [
        none,
        relu,
        Epilogue { residual: Some(residual), then: Activation::Relu, ..none },
        Epilogue { residual: Some(residual), ..relu },
        Epilogue { dropout: Some(DROPOUT), ..none },
        Epilogue { dropout: Some(DROPOUT), ..relu },
        Epilogue { activation: Activation::Tanh, ..none },
        Epilogue { activation: Activation::Gelu, dropout: Some(DROPOUT), residual: Some(residual), ..none },
    ]
}

struct Data {
    x: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    residual: Vec<f32>,
    d: Vec<f32>,
}

/// `x` within `spread` of `offset`, the others within 1.
fn data(norm: &BatchNorm, offset: f32, spread: f32) -> Data {
    let count = norm.batch * norm.channels * norm.places;
    Data {
        x: numbers(count, 1).into_iter().map(|x| x.mul_add(spread, offset)).collect(),
        weight: numbers(norm.channels, 2),
        bias: numbers(norm.channels, 3),
        residual: numbers(count, 4),
        d: numbers(count, 5),
    }
}

/// `statistics`, `y`, `d`, `dx`, `d_weight` and `d_bias`.
fn run(norm: &BatchNorm, data: &Data, epilogue: &Epilogue<'_>, onto: WriteMode) -> [Vec<f32>; 6] {
    let Data { x, weight, bias, d, .. } = data;
    // The previous contents must not affect the results.
    let mut statistics = vec![f32::NAN; 3 * norm.channels];
    let mut y = vec![f32::NAN; x.len()];
    norm.forward(x, weight, bias, epilogue, &mut statistics, &mut y);
    let there = if onto == WriteMode::Accumulate { 1.0 } else { f32::NAN };
    let [mut dx, mut d_weight, mut d_bias] = [x, weight, bias].map(|value| vec![there; value.len()]);
    let mut d = d.clone();
    let saved = if epilogue.saved() == Saved::Output { &*y } else { &[] };
    let (to_x, to_weight, to_bias) = ((&mut *dx, onto), (&mut *d_weight, onto), (&mut *d_bias, onto));
    norm.backward(x, weight, bias, &statistics, epilogue, saved, &mut d, Some(to_x), to_weight, to_bias);
    [statistics, y, d, dx, d_weight, d_bias]
}

/// The kernel without an epilogue against the reference.
///
/// With u = 2^-24 and values within `s` of a center, differences from the shift are within `2 s`; a sum of them has at
/// most 38 consecutive roundings (34 additions and a few of the terms), the rest is in f64. So the mean, with its
/// rest, is off by `38 u 2 s`, and by `u` of the rest, which is within `u |mean|`; the variance, a
/// mean of squares within `4 s^2` less a square of a mean within `2 s`, by `2 * 38 u 4 s^2` and by twice `2 s`
/// times the mean's `38 u 2 s`. All that follows is linear in these errors: relatively, the deviation has half
/// of the variance's error over `variance + eps`, and each sum 38 roundings again, of the sum of the absolute terms.
fn check(norm: &BatchNorm, offset: f32, spread: f32) {
    let data = data(norm, offset, spread);
    let [statistics, y, d, dx, d_weight, d_bias] = run(norm, &data, &Epilogue::NONE, WriteMode::Overwrite);
    assert_eq!(bits(&[&d]), bits(&[&data.d]));

    let [x, weight, bias, d] = [&data.x, &data.weight, &data.bias, &data.d].map(|values| widen(values));
    let pre = reference::forward(norm, &x, &weight, &bias);
    let [expected_dx, expected_d_weight, expected_d_bias] = reference::backward(norm, &x, &weight, &d);
    let (spread, eps) = (f64::from(spread), f64::from(norm.eps));
    let count = (norm.batch * norm.places).max(1) as f64;
    let sum = 38.0 * ROUNDING;
    for channel in 0..norm.channels {
        let [mean, variance] = reference::statistics(norm, &x, channel);
        let off_mean = ROUNDING * ROUNDING * mean.abs() + sum * 2.0 * spread;
        let off_variance = 4.0 * sum * 4.0 * spread * spread;
        let [found, rest] = [channel, 2 * norm.channels + channel].map(|at| statistics[at]);
        compare("mean", &[found], &[mean], &[ROUNDING * mean.abs() + off_mean]);
        compare("rest", &[rest], &[mean - f64::from(found)], &[off_mean]);
        compare("variance", &statistics[norm.channels + channel..][..1], &[variance], &[off_variance]);

        let inverse = 1.0 / (variance + eps).sqrt();
        // 8 for the intermediate values.
        let relative = off_variance / (variance + eps) + 8.0 * ROUNDING;
        let elements = || reference::elements(norm, channel);
        let xhat = |at: usize| ((x[at] - mean) * inverse).abs();
        let off_xhat = |at: usize| off_mean * inverse + xhat(at) * relative;
        let size_bias: f64 = elements().map(|at| d[at].abs()).sum();
        let size_weight: f64 = elements().map(|at| d[at].abs() * xhat(at)).sum();
        let off_bias = (sum + ROUNDING) * size_bias;
        let off_weight = sum * size_weight + elements().map(|at| d[at].abs() * off_xhat(at)).sum::<f64>();
        compare("d_bias", &d_bias[channel..][..1], &[expected_d_bias[channel]], &[off_bias]);
        compare("d_weight", &d_weight[channel..][..1], &[expected_d_weight[channel]], &[off_weight]);

        let weight = weight[channel].abs();
        for at in elements() {
            let off = weight * off_xhat(at) + 2.0 * ROUNDING * (pre[at].abs() + bias[channel].abs());
            compare("y", &y[at..][..1], &[pre[at]], &[off]);
            let size = d[at].abs() + size_bias / count + xhat(at) * size_weight / count;
            let off = off_bias + xhat(at) * off_weight + off_xhat(at) * size_weight;
            let off = weight * inverse * (off / count + size * (2.0 * relative));
            compare("dx", &dx[at..][..1], &[expected_dx[at]], &[off]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn matches_reference(
        batch in 1..9_usize,
        channels in 1..12_usize,
        places in 1..70_usize,
        offset in -20.0_f32..20.0,
        spread in 0.1_f32..3.0,
    ) {
        check(&BatchNorm { batch, channels, places, eps: 1e-5 }, offset, spread);
    }

    #[test]
    fn matches_reference_for_vectors(
        batch in 1..80_usize,
        channels in 1..300_usize,
        offset in -20.0_f32..20.0,
    ) {
        check(&BatchNorm { batch, channels, places: 1, eps: 1e-3 }, offset, 1.0);
    }
}

/// One whose samples are split, one with several blocks of channels, and vectors in several blocks.
const LARGE: [BatchNorm; 3] = [
    BatchNorm { batch: 9, channels: 3, places: 4000, eps: 1e-5 },
    BatchNorm { batch: 3, channels: 9, places: 2100, eps: 1e-5 },
    BatchNorm { batch: 130, channels: 700, places: 1, eps: 1e-5 },
];

#[test]
fn matches_reference_for_large_inputs() {
    for norm in &LARGE {
        check(norm, 3.0, 1.0);
    }
}

#[test]
fn large_mean_does_not_cause_cancellation() {
    for places in [1, 100] {
        let norm = BatchNorm { batch: 64, channels: 2, places, eps: 1e-5 };
        check(&norm, 30_000.0, 1.0);
        let data = data(&norm, 30_000.0, 1.0);
        let [statistics, ..] = run(&norm, &data, &Epilogue::NONE, WriteMode::Overwrite);
        let [_, variance] = reference::statistics(&norm, &widen(&data.x), 1);
        // Far below the grid of x, 2e-3.
        compare("variance", &statistics[3..4], &[variance], &[1e-5 * variance]);
    }
}

/// The gradient of a bias before the normalization.
#[test]
fn input_gradient_sums_to_zero() {
    for (batch, channels, places) in [(16, 6, 64), (9, 3, 4000), (4, 9, 2100), (130, 300, 1)] {
        let norm = BatchNorm { batch, channels, places, eps: 1e-9 };
        let mut data = data(&norm, 0.6, 1e-3);
        // Along `xhat`, so that the entire error of the mean is visible.
        for (d, x) in data.d.iter_mut().zip(&data.x) {
            *d += (x - 0.6) * 1e3;
        }
        let [_, _, d, dx, d_weight, d_bias] = run(&norm, &data, &Epilogue::NONE, WriteMode::Overwrite);
        let x = widen(&data.x);
        for channel in 0..channels {
            let [mean, variance] = reference::statistics(&norm, &x, channel);
            let [inverse, count] = [1.0 / (variance + 1e-9).sqrt(), (batch * places) as f64];
            let [of_bias, of_weight] = [&d_bias, &d_weight].map(|d| f64::from(d[channel]) / count);
            let elements = || reference::elements(&norm, channel);
            let size =
                |at: usize| f64::from(d[at].abs()) + of_weight.abs() * ((x[at] - mean) * inverse).abs();
            let largest = elements().map(size).fold(0.0, f64::max) + of_bias.abs();
            let factor = f64::from(data.weight[channel]).abs() * inverse;
            let dx: Vec<f32> = elements().map(|at| dx[at]).collect();
            vanishes("dx", &dx, factor * largest, factor * of_bias);
        }
    }
}

#[test]
fn reference_gradient_matches_finite_differences() {
    let norm = BatchNorm { batch: 3, channels: 2, places: 2, eps: 0.1 };
    let data = data(&norm, 0.5, 1.0);
    let [mut x, mut weight, mut bias, d] =
        [&data.x, &data.weight, &data.bias, &data.d].map(|values| widen(values));
    let [dx, d_weight, d_bias] = reference::backward(&norm, &x, &weight, &d);
    let loss = |x: &[f64], weight: &[f64], bias: &[f64]| -> f64 {
        reference::forward(&norm, x, weight, bias).iter().zip(&d).map(|(y, d)| y * d).sum()
    };
    let (x2, weight2, bias2) = (x.clone(), weight.clone(), bias.clone());
    differentiate(&mut x, &dx, 1e-7, |x| loss(x, &weight2, &bias2));
    differentiate(&mut weight, &d_weight, 1e-7, |weight| loss(&x2, weight, &bias2));
    differentiate(&mut bias, &d_bias, 1e-7, |bias| loss(&x2, &weight2, bias));
}

#[test]
fn fused_epilogue_equals_separate_epilogue() {
    let small = BatchNorm { batch: 3, channels: 5, places: 21, eps: 1e-5 };
    for norm in [small, BatchNorm { places: 1, channels: 270, ..small }, LARGE[0]] {
        let data = data(&norm, 0.0, 1.0);
        let [statistics, pre, ..] = run(&norm, &data, &Epilogue::NONE, WriteMode::Overwrite);
        for epilogue in epilogues(&data.residual) {
            let [_, y, d, dx, ..] = run(&norm, &data, &epilogue, WriteMode::Overwrite);
            let mut expected_y = pre.clone();
            epilogue.forward_in_place(0, &mut expected_y);
            assert_eq!(bits(&[&y]), bits(&[expected_y]), "{norm:?} {:?}", epilogue.activation);
            let saved: &[f32] = match epilogue.saved() {
                Saved::Nothing => &[],
                Saved::Output => &y,
                Saved::Input => &pre,
            };
            let mut expected_d = data.d.clone();
            epilogue.backward_in_place(0, saved, &mut expected_d);
            // Not bits: 0 may be -0.
            assert_eq!(d, expected_d, "{norm:?} {:?}", epilogue.activation);
            // The rest is as if this had come without an epilogue.
            let without = Data { d, ..self::data(&norm, 0.0, 1.0) };
            let [_, _, _, expected_dx, ..] = run(&norm, &without, &Epilogue::NONE, WriteMode::Overwrite);
            assert_eq!(bits(&[dx]), bits(&[expected_dx]));

            let (means, others) = statistics.split_at(norm.channels);
            let infer = |epilogue: &Epilogue<'_>| {
                let (variances, mut y) = (&others[..norm.channels], vec![f32::NAN; y.len()]);
                norm.infer(&data.x, &data.weight, &data.bias, means, variances, epilogue, &mut y);
                y
            };
            let mut inferred = infer(&Epilogue::NONE);
            // The rest of the mean is within 2^-24 of it, which is within 1; the scale is below 10.
            compare("inferred", &inferred, &widen(&pre), &[20.0 * ROUNDING]);
            epilogue.forward_in_place(0, &mut inferred);
            assert_eq!(bits(&[infer(&epilogue)]), bits(&[inferred]));
        }
    }
}

#[test]
fn results_do_not_depend_on_simd_level_or_threads() {
    let small = BatchNorm { batch: 3, channels: 5, places: 21, eps: 1e-5 };
    for norm in LARGE.into_iter().chain([small]) {
        let data = data(&norm, 1.0, 1.0);
        let [none, relu, _, relu_residual, ..] = epilogues(&data.residual);
        for epilogue in [none, relu, relu_residual] {
            same_bits(|| {
                let mut results = run(&norm, &data, &epilogue, WriteMode::Accumulate).to_vec();
                let mut y = vec![f32::NAN; data.x.len()];
                let (weight, bias) = (&data.weight, &data.bias);
                norm.infer(&data.x, weight, bias, bias, &vec![2.0; norm.channels], &epilogue, &mut y);
                results.push(y);
                results
            });
        }
    }
}

#[test]
fn channel_result_does_not_depend_on_other_channels() {
    for places in [1, 5] {
        let all = BatchNorm { batch: 4, channels: 3, places, eps: 1e-5 };
        let one = BatchNorm { channels: 1, ..all };
        let whole = data(&all, 0.0, 1.0);
        let together = run(&all, &whole, &Epilogue::NONE, WriteMode::Overwrite);
        let pick =
            |values: &[f32]| -> Vec<f32> { reference::elements(&all, 1).map(|at| values[at]).collect() };
        let alone = Data {
            x: pick(&whole.x),
            weight: whole.weight[1..2].to_vec(),
            bias: whole.bias[1..2].to_vec(),
            residual: Vec::new(),
            d: pick(&whole.d),
        };
        let alone = run(&one, &alone, &Epilogue::NONE, WriteMode::Overwrite);
        assert_eq!(
            bits(&[alone[1].clone(), alone[3].clone()]),
            bits(&[pick(&together[1]), pick(&together[3])])
        );
    }
}

#[test]
fn gradients_accumulate_and_input_gradient_is_optional() {
    for norm in [LARGE[0], LARGE[1], BatchNorm { batch: 5, channels: 20, places: 1, eps: 1e-5 }] {
        let data = data(&norm, 0.0, 1.0);
        let [replaced, added] = [WriteMode::Overwrite, WriteMode::Accumulate]
            .map(|onto| run(&norm, &data, &Epilogue::NONE, onto));
        for (replaced, added) in replaced.iter().zip(&added).skip(3) {
            let expected: Vec<f32> = replaced.iter().map(|value| 1.0 + value).collect();
            assert_eq!(bits(&[expected]), bits(&[added]));
        }
        let Data { x, weight, bias, d, .. } = &data;
        let (mut d, mut d_weight, mut d_bias) = (d.clone(), weight.clone(), bias.clone());
        let (to_weight, to_bias) =
            ((&mut *d_weight, WriteMode::Overwrite), (&mut *d_bias, WriteMode::Overwrite));
        let statistics = &replaced[0];
        norm.backward(x, weight, bias, statistics, &Epilogue::NONE, &[], &mut d, None, to_weight, to_bias);
        assert_eq!(bits(&[d_weight, d_bias]), bits(&replaced[4..]));
    }
}

#[test]
fn constant_channel_normalizes_to_bias() {
    for (batch, places) in [(7, 3), (7, 1), (1, 1), (1, 1100)] {
        let norm = BatchNorm { batch, channels: 1, places, eps: 1e-5 };
        let x = vec![0.1; batch * places];
        let mut y = x.clone();
        norm.forward(&x, &[1.0], &[0.25], &Epilogue::NONE, &mut [0.0; 3], &mut y);
        assert!(y.iter().all(|y| (y - 0.25).abs() < 1e-5), "{y:?}");
    }
}

#[test]
fn nan_propagates() {
    for places in [1, 3] {
        let norm = BatchNorm { batch: 2, channels: 2, places, eps: 1e-5 };
        let mut data = data(&norm, 0.0, 1.0);
        data.x[0] = f32::NAN;
        let relu = Epilogue { activation: Activation::Relu, ..Epilogue::NONE };
        let [statistics, y, _, dx, d_weight, _] = run(&norm, &data, &relu, WriteMode::Overwrite);
        assert!(statistics[0].is_nan() && statistics[2].is_nan() && !statistics[1].is_nan());
        assert!(y[0].is_nan() && dx[0].is_nan() && d_weight[0].is_nan() && !d_weight[1].is_nan());
    }
}

#[test]
fn empty_input_is_accepted() {
    for (batch, channels, places) in [(0, 3, 2), (2, 0, 2), (2, 3, 0), (0, 3, 1), (2, 0, 1)] {
        let norm = BatchNorm { batch, channels, places, eps: 1e-5 };
        let data = data(&norm, 0.0, 1.0);
        for epilogue in epilogues(&data.residual) {
            let results = run(&norm, &data, &epilogue, WriteMode::Overwrite);
            assert!(results.iter().flatten().all(|&value| value == 0.0));
            let mut y = [];
            norm.infer(&data.x, &data.weight, &data.bias, &data.bias, &data.bias, &epilogue, &mut y);
        }
    }
}

#[test]
#[should_panic(expected = "x is [batch, channels, places]")]
fn lengths_are_checked() {
    let norm = BatchNorm { batch: 1, channels: 1, places: 2, eps: 1e-5 };
    norm.forward(&[1.0], &[1.0], &[0.0], &Epilogue::NONE, &mut [0.0; 3], &mut [0.0]);
}

#[test]
#[should_panic(expected = "the epilogue needs y")]
fn missing_output_is_rejected() {
    let norm = BatchNorm { batch: 1, channels: 1, places: 1, eps: 1e-5 };
    let relu = Epilogue { activation: Activation::Relu, ..Epilogue::NONE };
    let (mut a, mut b) = ([0.0], [0.0]);
    let (to_weight, to_bias) = ((&mut a[..], WriteMode::Accumulate), (&mut b[..], WriteMode::Accumulate));
    norm.backward(&[1.0], &[1.0], &[0.0], &[0.0; 3], &relu, &[], &mut [0.0], None, to_weight, to_bias);
}

/// Squares from 1.8e19 on are infinite in f32, and the inverse of infinity is 0: failed when every result was the bias.
#[test]
fn infinite_squares_make_outputs_non_finite() {
    for places in [1, 2] {
        let norm = BatchNorm { batch: 4 / places, channels: 2, places, eps: 1e-5 };
        let (mut statistics, mut y) = ([0.0; 6], [0.0; 8]);
        for size in [3e19, 1e30, f32::MAX] {
            let first = |at: usize| (at / places).is_multiple_of(2);
            let x: [f32; 8] =
                std::array::from_fn(|at| if first(at) { [size, -size][at / 4] } else { at as f32 });
            let relu = Epilogue { activation: Activation::Relu, ..Epilogue::NONE };
            norm.forward(&x, &[1.0; 2], &[0.5; 2], &relu, &mut statistics, &mut y);
            for (at, y) in y.iter().enumerate() {
                assert_eq!(y.is_nan(), first(at), "{size}, {places}, {at}");
            }
            norm.infer(&x, &[1.0; 2], &[0.5; 2], &[0.0; 2], &[f32::INFINITY, 1.0], &Epilogue::NONE, &mut y);
            assert!(y.iter().enumerate().all(|(at, y)| y.is_nan() == first(at)), "{size}, {places}: {y:?}");
        }
    }
}
