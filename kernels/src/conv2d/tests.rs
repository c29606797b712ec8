use proptest::prelude::*;

use super::{Conv2d, PackedWeight, Transposed, reference};
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

pub(super) fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

pub(super) struct Data {
    pub(super) x: Vec<f32>,
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(super) d_pre: Vec<f32>,
}

impl Data {
    pub(super) fn of(conv: &Conv2d) -> Self {
        Self {
            x: numbers(conv.batch * conv.image(), 1),
            weight: numbers(conv.out * conv.taps(), 2),
            bias: numbers(conv.out, 3),
            d_pre: numbers(conv.batch * conv.result(), 4),
        }
    }

    /// `pre`, and the gradients of `x`, of the weights and of the bias, overwriting or added
    /// to it.
    pub(super) fn run(&self, conv: &Conv2d, onto: WriteMode, there: f32) -> [Vec<f32>; 4] {
        let mut pre = vec![f32::NAN; self.d_pre.len()];
        let [mut dx, mut d_weight, mut d_bias] =
            [self.x.len(), self.weight.len(), conv.out].map(|length| vec![there; length]);
        conv.forward(&self.x, &self.weight, Some(&self.bias), &Epilogue::NONE, None, &mut pre);
        conv.backward_input(&self.d_pre, &self.weight, (&mut dx, onto));
        conv.backward_weight(&self.x, &self.d_pre, (&mut d_weight, onto), Some((&mut d_bias, onto)));
        [pre, dx, d_weight, d_bias]
    }
}

pub(super) fn bits(values: &[Vec<f32>]) -> Vec<u32> {
    values.iter().flatten().map(|value| value.to_bits()).collect()
}

/// The kernels against the reference, element by element.
///
/// A sum of `n` products, each added with one rounding, is off by at most `n` units of 2^-24 of the sum of the
/// absolute values of its terms, to first order; so is a sum in any other order, and of fewer terms, since what
/// is padded with zeros rounds nothing. One more for what is added at the end; twice that is room enough for
/// the higher orders.
fn check(conv: &Conv2d) {
    let data = Data::of(conv);
    let [x, weight, bias, d_pre] =
        [&data.x, &data.weight, &data.bias, &data.d_pre].map(|values| widen(values));
    let pre = reference::forward(conv, &x, &weight, &bias);
    let [dx, d_weight, d_bias] = reference::backward(conv, &x, &weight, &d_pre);
    let places = conv.batch * conv.out_height() * conv.out_width();
    let reaching = conv.out / conv.groups * conv.kernel[0] * conv.kernel[1];
    let expected = [
        ("pre", pre, conv.taps()),
        ("dx", dx, reaching),
        ("d_weight", d_weight, places),
        ("d_bias", d_bias, places),
    ];
    for (onto, there) in [(WriteMode::Overwrite, f32::NAN), (WriteMode::Accumulate, 0.5)] {
        let found = data.run(conv, onto, there);
        for (which, ((name, expected, terms), found)) in expected.iter().zip(&found).enumerate() {
            let added = if onto == WriteMode::Accumulate && which > 0 { f64::from(there) } else { 0.0 };
            assert_eq!(expected.values.len(), found.len());
            for (index, (&found, (value, size))) in
                found.iter().zip(expected.values.iter().zip(&expected.sizes)).enumerate()
            {
                let tolerance = (*terms as f64 + 2.0) * (size + added) * f64::from(f32::EPSILON);
                let error = (f64::from(found) - value - added).abs();
                assert!(error <= tolerance, "{conv:?}: {name}[{index}] is {found}, not {}", value + added);
            }
        }
    }
}

prop_compose! {
    fn convolutions()(
        batch in 0..4_usize,
        (groups, ins, outs) in (1..4_usize, 0..5_usize, 0..11_usize),
        height in 0..10_usize,
        width in 0..20_usize,
        kernel in [1..5_usize, 1..5],
        stride in [1..4_usize, 1..4],
        padding in [[0..4_usize, 0..4], [0..4, 0..4]],
        dilation in [1..3_usize, 1..3],
    ) -> Conv2d {
        let (channels, out) = (groups * ins, groups * outs);
        Conv2d { batch, channels, height, width, out, kernel, stride, padding, dilation, groups }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn matches_reference(conv in convolutions()) {
        check(&conv);
    }
}

/// Of each kind one: vectors along rows, and of two rows; strides that split the image; groups; no square.
const KINDS: [Conv2d; 10] = {
    let plain = Conv2d {
        batch: 5,
        channels: 4,
        height: 6,
        width: 16,
        out: 9,
        kernel: [3; 2],
        stride: [1; 2],
        padding: [[1; 2]; 2],
        dilation: [1; 2],
        groups: 1,
    };
    [
        plain,
        Conv2d { width: 8, height: 8, out: 16, ..plain },
        Conv2d { width: 37, height: 3, kernel: [2; 2], padding: [[0; 2]; 2], ..plain },
        Conv2d { stride: [2; 2], ..plain },
        Conv2d { stride: [2; 2], kernel: [1; 2], padding: [[0; 2]; 2], width: 13, ..plain },
        Conv2d { stride: [3; 2], kernel: [5; 2], padding: [[4; 2]; 2], dilation: [2; 2], ..plain },
        Conv2d { channels: 6, out: 6, groups: 6, width: 14, ..plain },
        Conv2d { kernel: [3, 5], stride: [1, 2], padding: [[1, 1], [2, 2]], dilation: [2, 1], ..plain },
        Conv2d { kernel: [4, 1], stride: [3, 1], padding: [[0, 2], [0, 0]], ..plain },
        // One row, padded on the left alone: a causal convolution of a sequence.
        Conv2d { height: 1, width: 50, kernel: [1, 3], padding: [[0, 0], [8, 0]], dilation: [1, 4], ..plain },
    ]
};

#[test]
fn each_convolution_kind_matches_reference() {
    KINDS.iter().for_each(check);
}

#[test]
fn many_images_match_reference() {
    check(&Conv2d { batch: 67, height: 9, width: 14, channels: 2, out: 3, ..KINDS[0] });
}

#[test]
fn results_do_not_depend_on_simd_level() {
    for conv in &KINDS {
        let data = Data::of(conv);
        let expected = bits(&simd::at_level(Level::Portable, || data.run(conv, WriteMode::Accumulate, 0.25)));
        for &level in Level::available() {
            let found = bits(&simd::at_level(level, || data.run(conv, WriteMode::Accumulate, 0.25)));
            assert!(found == expected, "{level:?} {conv:?}");
        }
    }
}

/// The forward pass with a packed weight and these values.
pub(super) fn packed(conv: &Conv2d, data: &Data, values: &[f32], packed: &PackedWeight) -> Vec<u32> {
    let mut y = vec![f32::NAN; data.d_pre.len()];
    let weight = (values, Some(packed));
    conv.forward(&data.x, weight, Some(&data.bias), &Epilogue::NONE, None, &mut y);
    bits(&[y])
}

/// A weight packed for one image, in passes over all images and at every level.
pub(super) fn check_packed(conv: &Conv2d) {
    let data = Data::of(conv);
    let [pre, ..] = data.run(conv, WriteMode::Overwrite, f32::NAN);
    let expected = bits(&[pre]);
    for &level in Level::available() {
        let kept = simd::at_level(level, || Conv2d { batch: 1, ..*conv }.pack(&data.weight));
        // At its level the values are not read.
        let nan = vec![f32::NAN; data.weight.len()];
        let found = simd::at_level(level, || packed(conv, &data, &nan, &kept));
        assert!(found == expected, "{level:?} {conv:?}");
        for &other in Level::available() {
            let found = simd::at_level(other, || packed(conv, &data, &data.weight, &kept));
            assert!(found == expected, "{level:?} at {other:?} {conv:?}");
        }
    }
}

#[test]
fn packed_weight_gives_the_same_bits() {
    KINDS.iter().for_each(check_packed);
}

#[test]
#[should_panic(expected = "the packed weight is of this convolution")]
fn packed_weight_of_other_sizes_is_rejected() {
    let data = Data::of(&KINDS[0]);
    let other = Conv2d { out: 18, ..KINDS[0] };
    packed(&KINDS[0], &data, &data.weight, &other.pack(&vec![0.0; 18 * 36]));
}

/// Large enough for several blocks of images.
fn in_blocks(conv: Conv2d) -> Conv2d {
    let conv = Conv2d { batch: 40, channels: 4 * conv.channels, out: 4 * conv.out, height: 20, ..conv };
    assert!(conv.groups > 1 || conv.stride != [1; 2] || conv.images() < conv.batch);
    conv
}

#[test]
fn results_do_not_depend_on_threads() {
    for conv in KINDS.map(in_blocks) {
        let data = Data::of(&conv);
        let expected = bits(&data.run(&conv, WriteMode::Overwrite, f32::NAN));
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            let found = bits(&pool.install(|| data.run(&conv, WriteMode::Overwrite, f32::NAN)));
            assert!(found == expected, "{threads} {conv:?}");
        }
    }
}

#[test]
fn image_result_does_not_depend_on_other_images() {
    for conv in &KINDS {
        let data = Data::of(conv);
        let [pre, dx, ..] = data.run(conv, WriteMode::Overwrite, f32::NAN);
        for image in 0..conv.batch {
            let part = |values: &[f32]| -> Vec<f32> {
                let each = values.len() / conv.batch;
                values[image * each..][..each].to_vec()
            };
            let Data { weight, bias, .. } = Data::of(conv);
            let alone = Data { x: part(&data.x), weight, bias, d_pre: part(&data.d_pre) };
            let [pre_alone, dx_alone, ..] =
                alone.run(&Conv2d { batch: 1, ..*conv }, WriteMode::Overwrite, f32::NAN);
            assert_eq!(bits(&[pre_alone, dx_alone]), bits(&[part(&pre), part(&dx)]), "{conv:?}");
        }
    }
}

#[test]
fn epilogue_uses_index_in_whole_output() {
    for conv in &KINDS.map(in_blocks) {
        let data = Data::of(conv);
        let residual = numbers(data.d_pre.len(), 5);
        let dropout =
            Dropout { key: [1, 2], place: [3, 4, 5], threshold: u32::MAX / 4, scale: 4.0 / 3.0, each: 1 };
        let epilogue = Epilogue {
            activation: Activation::LeakyRelu { slope: 0.1 },
            dropout: Some(dropout),
            residual: Some(&residual),
            then: Activation::Relu,
        };
        let [expected_pre, ..] = data.run(conv, WriteMode::Overwrite, f32::NAN);
        let mut expected = vec![0.0; expected_pre.len()];
        epilogue.forward(0, &expected_pre, &mut expected);
        let mut pre = vec![f32::NAN; expected.len()];
        let [mut y, mut y_alone] = [pre.clone(), pre.clone()];
        conv.forward(&data.x, &data.weight, Some(&data.bias), &epilogue, Some(&mut pre), &mut y);
        conv.forward(&data.x, &data.weight, Some(&data.bias), &epilogue, None, &mut y_alone);
        assert_eq!(bits(&[pre, y, y_alone]), bits(&[expected_pre, expected.clone(), expected]));
    }
}

#[test]
fn missing_bias_equals_zero_bias() {
    let conv = &KINDS[0];
    let data = Data { bias: vec![0.0; conv.out], ..Data::of(conv) };
    let [expected, _, d_weight, _] = data.run(conv, WriteMode::Overwrite, f32::NAN);
    let mut y = vec![f32::NAN; expected.len()];
    conv.forward(&data.x, &data.weight, None, &Epilogue::NONE, None, &mut y);
    let mut d_weight_alone = vec![f32::NAN; d_weight.len()];
    conv.backward_weight(&data.x, &data.d_pre, (&mut d_weight_alone, WriteMode::Overwrite), None);
    assert_eq!(bits(&[y, d_weight_alone]), bits(&[expected, d_weight]));
}

#[test]
fn reference_gradient_matches_finite_differences() {
    for conv in
        KINDS.map(|conv| Conv2d { batch: 2, channels: 2, width: 5, height: 4, out: 2, groups: 2, ..conv })
    {
        let data = Data::of(&conv);
        let mut values = [&data.x, &data.weight, &data.bias].map(|values| widen(values));
        let d_pre = widen(&data.d_pre);
        let gradients = reference::backward(&conv, &values[0], &values[1], &d_pre);
        let loss = |[x, weight, bias]: &[Vec<f64>; 3]| -> f64 {
            let pre = reference::forward(&conv, x, weight, bias).values;
            pre.iter().zip(&d_pre).map(|(pre, d)| pre * d).sum()
        };
        for (which, gradient) in gradients.iter().enumerate() {
            for index in 0..gradient.values.len() {
                // The loss is linear in each of the three, so any step size yields the gradient up to rounding.
                let value = values[which][index];
                values[which][index] = value + 0.5;
                let above = loss(&values);
                values[which][index] = value - 0.5;
                let slope = above - loss(&values);
                values[which][index] = value;
                assert!((slope - gradient.values[index]).abs() < 1e-11);
            }
        }
    }
}

#[test]
fn nan_propagates_to_affected_outputs() {
    let conv = Conv2d { batch: 2, channels: 2, groups: 2, out: 4, ..KINDS[0] };
    let mut data = Data::of(&conv);
    data.x[0] = f32::NAN;
    data.d_pre[0] = f32::NAN;
    let [pre, dx, d_weight, d_bias] = data.run(&conv, WriteMode::Overwrite, 0.0);
    let nans =
        |values: &[f32]| -> Vec<usize> { (0..values.len()).filter(|&at| values[at].is_nan()).collect() };
    // The corner is read by four positions of each of the first two channels of the first result.
    assert_eq!(nans(&pre), [0, 1, 16, 17, 96, 97, 112, 113]);
    assert_eq!(nans(&dx), [0, 1, 16, 17]);
    // The gradient is that of the first channel at the corner, and the pixel is in the first group.
    assert!(nans(&d_weight).iter().all(|&at| at < 18) && d_weight[4].is_nan() && d_weight[13].is_nan());
    assert_eq!(nans(&d_bias), [0]);
}

#[test]
#[should_panic(expected = "x is [batch, channels, height, width]")]
fn lengths_are_checked() {
    let data = Data::of(&KINDS[0]);
    KINDS[0].backward_input(&data.d_pre, &data.weight, (&mut [0.0], WriteMode::Overwrite));
}

#[test]
#[should_panic(expected = "groups divides channels and out")]
fn groups_are_checked() {
    Conv2d { groups: 2, ..KINDS[0] }.forward(&[], &[], None, &Epilogue::NONE, None, &mut []);
}

/// A transposed convolution against the gradients of the convolution that it transposes.
fn check_transposed(conv: &Conv2d) {
    let data = Data::of(conv);
    let (x, bias) = (&data.d_pre, numbers(conv.channels, 5));
    let transposed = Transposed(*conv);
    let [pre, dx, d_weight, _] = data.run(conv, WriteMode::Overwrite, f32::NAN);
    let places = conv.height * conv.width;
    let expected: Vec<f32> =
        dx.iter().enumerate().map(|(at, dx)| dx + bias[at / places.max(1) % bias.len()]).collect();

    let mut y = vec![f32::NAN; data.x.len()];
    transposed.forward(x, &data.weight, Some(&bias), &Epilogue::NONE, None, &mut y);
    assert_eq!(bits(&[y]), bits(std::slice::from_ref(&expected)), "{conv:?}");
    let residual = numbers(data.x.len(), 6);
    let epilogue = Epilogue {
        activation: Activation::Tanh,
        residual: Some(&residual),
        then: Activation::Relu,
        ..Epilogue::NONE
    };
    let mut after = vec![0.0; expected.len()];
    epilogue.forward(0, &expected, &mut after);
    let [mut y, mut before] = [(); 2].map(|()| vec![f32::NAN; expected.len()]);
    transposed.forward(x, &data.weight, Some(&bias), &epilogue, Some(&mut before), &mut y);
    assert_eq!(bits(&[y, before]), bits(&[after, expected]), "{conv:?}");

    // The gradient of the input is the convolution without a bias, that of the weights is the convolution's own.
    let mut plain = vec![f32::NAN; pre.len()];
    conv.forward(&data.x, &data.weight, None, &Epilogue::NONE, None, &mut plain);
    let [mut replaced, mut added] = [f32::NAN, 0.5].map(|there| vec![there; pre.len()]);
    transposed.backward_input(&data.x, &data.weight, (&mut replaced, WriteMode::Overwrite));
    transposed.backward_input(&data.x, &data.weight, (&mut added, WriteMode::Accumulate));
    let sums: Vec<f32> = plain.iter().map(|value| value + 0.5).collect();
    assert_eq!(bits(&[replaced, added]), bits(&[plain, sums]), "{conv:?}");
    let mut d_weight_found = vec![f32::NAN; d_weight.len()];
    let [mut d_bias, mut d_bias_added] = [f32::NAN, 0.5].map(|there| vec![there; conv.channels]);
    let overwritten = Some((&mut d_bias[..], WriteMode::Overwrite));
    transposed.backward_weight(x, &data.x, (&mut d_weight_found, WriteMode::Overwrite), overwritten);
    assert_eq!(bits(std::slice::from_ref(&d_weight_found)), bits(&[d_weight]), "{conv:?}");
    let accumulated = Some((&mut d_bias_added[..], WriteMode::Accumulate));
    transposed.backward_weight(x, &data.x, (&mut d_weight_found, WriteMode::Overwrite), accumulated);
    let mut exact = vec![[0.0_f64; 2]; conv.channels];
    for (at, &d) in data.x.iter().enumerate() {
        let [sum, size] = &mut exact[at / places % conv.channels];
        (*sum, *size) = (*sum + f64::from(d), *size + f64::from(d.abs()));
    }
    let terms = (conv.batch * places) as f64;
    for (at, [sum, size]) in exact.into_iter().enumerate() {
        let tolerance = (terms + 2.0) * (size + 0.5) * f64::from(f32::EPSILON);
        assert!((f64::from(d_bias[at]) - sum).abs() <= tolerance, "{conv:?}");
        assert!((f64::from(d_bias_added[at]) - sum - 0.5).abs() <= tolerance, "{conv:?}");
    }
}

#[test]
fn transposed_convolution_is_gradient_of_convolution() {
    KINDS.iter().for_each(check_transposed);
    check_transposed(&Conv2d { channels: 32, out: 32, width: 16, height: 16, ..KINDS[0] });
    check_transposed(&Conv2d {
        batch: 67,
        channels: 8,
        out: 4,
        groups: 4,
        width: 33,
        height: 31,
        ..KINDS[9]
    });
}

#[test]
fn transposed_results_do_not_depend_on_simd_level_or_threads() {
    for conv in KINDS.map(in_blocks) {
        let data = Data::of(&conv);
        let bias = numbers(conv.channels, 5);
        let run = || {
            let transposed = Transposed(conv);
            let mut y = vec![f32::NAN; data.x.len()];
            let (mut dx, mut d_weight) =
                (vec![f32::NAN; data.d_pre.len()], vec![f32::NAN; data.weight.len()]);
            let mut d_bias = vec![f32::NAN; conv.channels];
            transposed.forward(&data.d_pre, &data.weight, Some(&bias), &Epilogue::NONE, None, &mut y);
            transposed.backward_input(&data.x, &data.weight, (&mut dx, WriteMode::Overwrite));
            let of_bias = Some((&mut d_bias[..], WriteMode::Overwrite));
            transposed.backward_weight(&data.d_pre, &data.x, (&mut d_weight, WriteMode::Overwrite), of_bias);
            bits(&[y, dx, d_weight, d_bias])
        };
        let expected = simd::at_level(Level::Portable, run);
        for &level in Level::available() {
            assert!(simd::at_level(level, run) == expected, "{level:?} {conv:?}");
        }
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            assert!(pool.install(run) == expected, "{threads} {conv:?}");
        }
    }
}
