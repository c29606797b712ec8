use super::POINTS;
use crate::conv2d::tests::{Data, bits, check_packed, widen};
use crate::conv2d::{Conv2d, reference};
use crate::epilogue::{Activation, Epilogue};
use crate::matmul::WriteMode;
use crate::simd::{self, Level};

const PLAIN: Conv2d = Conv2d {
    batch: 3,
    channels: 32,
    height: 16,
    width: 16,
    out: 32,
    kernel: [3; 2],
    stride: [1; 2],
    padding: [[1; 2]; 2],
    dilation: [1; 2],
    groups: 1,
};

/// Complete and partial vectors, rows that end within a tile, several bands, several images at a time, and channels
/// that are not full tiles of a product.
const KINDS: [Conv2d; 5] = [
    PLAIN,
    Conv2d { batch: 9, channels: 64, out: 64, height: 8, width: 8, ..PLAIN },
    Conv2d { channels: 45, out: 43, height: 14, width: 15, ..PLAIN },
    Conv2d { batch: 6, height: 10, width: 13, padding: [[0; 2]; 2], ..PLAIN },
    Conv2d { batch: 2, height: 19, width: 30, padding: [[2; 2]; 2], ..PLAIN },
];

/// `B'`, `G` and `A'` with absolute values.
const FOUR: [[f64; 4]; 4] =
    [[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0]];
const THREE: [[f64; 3]; 4] = [[1.0, 0.0, 0.0], [0.5; 3], [0.5; 3], [0.0, 0.0, 1.0]];
const BACK: [[f64; 4]; 2] = [[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 1.0]];

/// The sizes of the terms of each result, which are those of the sums at the points: all of
/// `A' ((G g G') (B' d B)) A` with absolute values.
fn sizes(conv: &Conv2d, x: &[f32], kernel: impl Fn(usize, usize, usize) -> f32) -> Vec<f64> {
    let Conv2d { batch, channels, height, width, out, padding: [[padding, _], _], .. } = *conv;
    let (rows, columns) = (conv.out_height(), conv.out_width());
    let mut weights = vec![[0.0; POINTS]; out * channels];
    for (at, points) in weights.iter_mut().enumerate() {
        for (point, value) in points.iter_mut().enumerate() {
            let (a, b) = (THREE[point / 4], THREE[point % 4]);
            *value = (0..9)
                .map(|tap| {
                    a[tap / 3] * b[tap % 3] * f64::from(kernel(at / channels, at % channels, tap).abs())
                })
                .sum();
        }
    }
    let mut found = vec![0.0; batch * out * rows * columns];
    for n in 0..batch {
        for i in 0..rows.div_ceil(2) {
            for j in 0..columns.div_ceil(2) {
                let mut sums = vec![[0.0; POINTS]; out];
                for c in 0..channels {
                    let mut points = [0.0; POINTS];
                    for place in 0..16 {
                        let inside = |at: usize, length| at.checked_sub(padding).filter(|&at| at < length);
                        let at = (inside(2 * i + place / 4, height), inside(2 * j + place % 4, width));
                        let (Some(y), Some(z)) = at else { continue };
                        let value = f64::from(x[((n * channels + c) * height + y) * width + z].abs());
                        for (point, sum) in points.iter_mut().enumerate() {
                            *sum += FOUR[point / 4][place / 4] * FOUR[point % 4][place % 4] * value;
                        }
                    }
                    for (o, sums) in sums.iter_mut().enumerate() {
                        for point in 0..POINTS {
                            sums[point] += weights[o * channels + c][point] * points[point];
                        }
                    }
                }
                for (o, sums) in sums.iter().enumerate() {
                    for place in 0..4 {
                        let (y, z) = (2 * i + place / 2, 2 * j + place % 2);
                        if y < rows && z < columns {
                            let (a, b) = (BACK[place / 2], BACK[place % 2]);
                            found[((n * out + o) * rows + y) * columns + z] =
                                (0..POINTS).map(|point| a[point / 4] * b[point % 4] * sums[point]).sum();
                        }
                    }
                }
            }
        }
    }
    found
}

/// As [`sizes`], of the gradient of the weights: `G' (sum of (A dy A') (B' d B)) G` with absolute values.
fn weight_sizes(conv: &Conv2d, data: &Data) -> Vec<f64> {
    let Conv2d { batch, channels, height, width, out, padding: [[padding, _], _], .. } = *conv;
    let (rows, columns) = (conv.out_height(), conv.out_width());
    let mut sums = vec![[0.0; POINTS]; out * channels];
    let inside = |at: usize, padding, length| at.checked_sub(padding).filter(|&at| at < length);
    for n in 0..batch {
        for (i, j) in (0..rows.div_ceil(2)).flat_map(|i| (0..columns.div_ceil(2)).map(move |j| (i, j))) {
            let source = |c: usize| {
                let mut points = [0.0; POINTS];
                for place in 0..16 {
                    let at = (
                        inside(2 * i + place / 4, padding, height),
                        inside(2 * j + place % 4, padding, width),
                    );
                    let (Some(y), Some(z)) = at else { continue };
                    let value = f64::from(data.x[((n * channels + c) * height + y) * width + z].abs());
                    for (point, sum) in points.iter_mut().enumerate() {
                        *sum += FOUR[point / 4][place / 4] * FOUR[point % 4][place % 4] * value;
                    }
                }
                points
            };
            let d = |o: usize| {
                let mut points = [0.0; POINTS];
                for place in 0..4 {
                    let at = (inside(2 * i + place / 2, 0, rows), inside(2 * j + place % 2, 0, columns));
                    let (Some(y), Some(z)) = at else { continue };
                    let value = f64::from(data.d_pre[((n * out + o) * rows + y) * columns + z].abs());
                    for (point, sum) in points.iter_mut().enumerate() {
                        *sum += BACK[place / 2][point / 4] * BACK[place % 2][point % 4] * value;
                    }
                }
                points
            };
            let sources: Vec<_> = (0..channels).map(source).collect();
            for (o, sums) in sums.chunks_exact_mut(channels).enumerate() {
                let d = d(o);
                for (sums, source) in sums.iter_mut().zip(&sources) {
                    for point in 0..POINTS {
                        sums[point] += d[point] * source[point];
                    }
                }
            }
        }
    }
    let kernel = |sums: &[f64; POINTS]| {
        let sums = *sums;
        (0..9).map(move |tap| {
            let term = |point: usize| THREE[point / 4][tap / 3] * THREE[point % 4][tap % 3] * sums[point];
            (0..POINTS).map(term).sum()
        })
    };
    sums.iter().flat_map(kernel).collect()
}

/// A term of a result is rounded twice in the transform of the image, four times in that of the weights (halves
/// are exact), once for each channel in the sum of a point, and four times in the output transform; the bias and what is
/// added to round once more each. A term of the gradient of a weight is rounded twice in either transform, four times
/// in the output transform, and in sums: once for each tile of its group of images, and for each group, together for all tiles and
/// once more. To first order each rounding is off by 2^-24 of the absolute values of the terms so
/// far; twice that is room enough for the higher orders.
fn check(found: &[f32], values: &[f64], sizes: &[f64], terms: usize, added: (f64, f64)) {
    assert_eq!((found.len(), found.len()), (values.len(), sizes.len()));
    for (index, (&found, (value, size))) in found.iter().zip(values.iter().zip(sizes)).enumerate() {
        let tolerance = (terms as f64 + 12.0) * (size + added.1) * f64::from(f32::EPSILON);
        let error = (f64::from(found) - value - added.0).abs();
        assert!(error <= tolerance, "number {index} is {found}, not {}", value + added.0);
    }
}

#[test]
fn matches_reference() {
    for conv in &KINDS {
        assert!(conv.filter().is_some() && conv.weight_filter().is_some(), "{conv:?}");
        let data = Data::of(conv);
        let [x, weight, bias, d_pre] =
            [&data.x, &data.weight, &data.bias, &data.d_pre].map(|values| widen(values));
        let pre = reference::forward(conv, &x, &weight, &bias);
        let [dx, d_weight, d_bias] = reference::backward(conv, &x, &weight, &d_pre);
        let at = |o: usize, c: usize, tap: usize| data.weight[(o * conv.channels + c) * 9 + tap];
        let pre_sizes = sizes(conv, &data.x, at);
        let back = Conv2d {
            channels: conv.out,
            out: conv.channels,
            height: conv.out_height(),
            width: conv.out_width(),
            padding: [[2 - conv.padding[0][0]; 2]; 2],
            ..*conv
        };
        let dx_sizes = sizes(&back, &data.d_pre, |o, c, tap| at(c, o, 8 - tap));
        let weight_sizes = weight_sizes(conv, &data);
        let tiles = conv.batch * conv.out_height().div_ceil(2) * conv.out_width().div_ceil(2);
        for (onto, there, added) in [(WriteMode::Overwrite, f32::NAN, 0.0), (WriteMode::Accumulate, 0.5, 0.5)]
        {
            let [found_pre, found_dx, found_weight, found_bias] = data.run(conv, onto, there);
            check(&found_pre, &pre.values, &pre_sizes, conv.channels, (0.0, 1.0));
            check(&found_dx, &dx.values, &dx_sizes, conv.out, (added, added));
            check(&found_weight, &d_weight.values, &weight_sizes, tiles, (added, added));
            check(&found_bias, &d_bias.values, &d_bias.sizes, 4 * tiles, (added, added));
        }
    }
}

#[test]
fn results_do_not_depend_on_simd_level() {
    for conv in &KINDS {
        let data = Data::of(conv);
        let run = || bits(&data.run(conv, WriteMode::Accumulate, 0.25));
        let expected = simd::at_level(Level::Portable, run);
        for &level in Level::available() {
            assert!(simd::at_level(level, run) == expected, "{level:?} {conv:?}");
        }
    }
}

#[test]
fn packed_weight_gives_the_same_bits() {
    KINDS.iter().for_each(check_packed);
}

#[test]
fn results_do_not_depend_on_threads_or_other_images() {
    for conv in KINDS.map(|conv| Conv2d { batch: 11, ..conv }) {
        let data = Data::of(&conv);
        let expected = data.run(&conv, WriteMode::Overwrite, f32::NAN);
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            let found = pool.install(|| data.run(&conv, WriteMode::Overwrite, f32::NAN));
            assert!(bits(&found) == bits(&expected), "{threads} {conv:?}");
        }
        let [pre, dx, ..] = expected;
        for image in [0, 4, 10] {
            let part = |values: &[f32]| -> Vec<f32> {
                let each = values.len() / conv.batch;
                values[image * each..][..each].to_vec()
            };
            let Data { weight, bias, .. } = Data::of(&conv);
            let alone = Data { x: part(&data.x), weight, bias, d_pre: part(&data.d_pre) };
            let [pre_alone, dx_alone, ..] =
                alone.run(&Conv2d { batch: 1, ..conv }, WriteMode::Overwrite, f32::NAN);
            assert!(bits(&[pre_alone, dx_alone]) == bits(&[part(&pre), part(&dx)]), "{conv:?}");
        }
    }
}

#[test]
fn epilogue_is_applied_to_complete_sum() {
    for conv in KINDS.map(|conv| Conv2d { batch: 11, ..conv }) {
        let data = Data::of(&conv);
        let epilogue = Epilogue {
            activation: Activation::LeakyRelu { slope: 0.1 },
            residual: Some(&data.d_pre),
            ..Epilogue::NONE
        };
        let [expected_pre, ..] = data.run(&conv, WriteMode::Overwrite, f32::NAN);
        let mut expected = vec![0.0; expected_pre.len()];
        epilogue.forward(0, &expected_pre, &mut expected);
        let mut pre = vec![f32::NAN; expected.len()];
        let [mut y, mut y_alone] = [pre.clone(), pre.clone()];
        conv.forward(&data.x, &data.weight, Some(&data.bias), &epilogue, Some(&mut pre), &mut y);
        conv.forward(&data.x, &data.weight, Some(&data.bias), &epilogue, None, &mut y_alone);
        assert!(bits(&[pre, y, y_alone]) == bits(&[expected_pre, expected.clone(), expected]));
    }
}

#[test]
fn nan_propagates_within_its_tiles() {
    let conv = Conv2d { batch: 2, ..PLAIN };
    let mut data = Data::of(&conv);
    data.x[0] = f32::NAN;
    let [pre, _, d_weight, _] = data.run(&conv, WriteMode::Overwrite, 0.0);
    // The position is in three rows and columns of the points, and those are in all taps.
    for (index, value) in d_weight.iter().enumerate() {
        assert_eq!(value.is_nan(), index / 9 % conv.channels == 0, "weight {index}");
    }
    for (index, value) in pre.iter().enumerate() {
        let (row, column) = (index / 16 % 16, index % 16);
        let sees = index < conv.result() && row < 2 && column < 2;
        assert_eq!(value.is_nan(), sees, "number {index}");
    }
}

/// A group of images has the same gradient in whatever is transformed at a time.
#[test]
fn weight_gradient_sums_over_image_groups() {
    let conv = Conv2d { batch: 8, ..PLAIN };
    let data = Data::of(&conv);
    let [.., expected, expected_bias] = data.run(&conv, WriteMode::Overwrite, f32::NAN);
    let [mut found, mut found_bias] = [vec![0.0; expected.len()], vec![0.0; conv.out]];
    // Two groups of four images: a vector is sixteen of 256 positions.
    let half = Conv2d { batch: 4, ..PLAIN };
    for group in 0..2 {
        let x = &data.x[group * half.batch * conv.image()..][..half.batch * conv.image()];
        let d_pre = &data.d_pre[group * half.batch * conv.result()..][..half.batch * conv.result()];
        let onto = if group == 0 { WriteMode::Overwrite } else { WriteMode::Accumulate };
        half.backward_weight(x, d_pre, (&mut found, onto), Some((&mut found_bias, onto)));
    }
    assert!(bits(&[found, found_bias]) == bits(&[expected, expected_bias]));
}
