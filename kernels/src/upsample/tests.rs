use super::{Between, PixelShuffle, Upsample, mixed};
use crate::matmul::WriteMode;
use crate::philox;
use crate::simd::{self, Level};

/// Values from -1 to 1 in steps of 1/8.
fn numbers(count: usize, key: u32) -> Vec<f32> {
    let mut words = vec![0; count];
    philox::fill(&mut words, [key, 0], [0; 3]);
    words.iter().map(|&word| (f64::from(word % 17) / 8.0 - 1.0) as f32).collect()
}

const KINDS: [Upsample; 6] = {
    let plain = Upsample { planes: 3, height: 4, width: 5, scale: [2; 2], bilinear: false };
    [
        plain,
        Upsample { scale: [3, 1], ..plain },
        Upsample { bilinear: true, ..plain },
        Upsample { bilinear: true, scale: [3, 4], ..plain },
        Upsample { bilinear: true, height: 1, width: 1, scale: [2, 3], ..plain },
        Upsample { bilinear: true, planes: 300, height: 9, width: 14, ..plain },
    ]
};

fn sizes(up: &Upsample) -> (usize, usize) {
    let inputs = up.planes * up.height * up.width;
    (inputs, inputs * up.scale[0] * up.scale[1])
}

/// The positions and weights of PyTorch's formula, in f64.
fn reference(up: &Upsample, mut visit: impl FnMut(usize, usize, f64)) {
    let [rows, columns] = up.scale;
    let around = |output: usize, length: usize, scale: usize| {
        if !up.bilinear {
            return [(output / scale, 1.0), (0, 0.0)];
        }
        let at = ((output as f64 + 0.5) / scale as f64 - 0.5).max(0.0);
        let first = at.floor();
        let second = (first as usize + 1).min(length - 1);
        [(first as usize, 1.0 - (at - first)), (second, at - first)]
    };
    let mut output = 0;
    for plane in 0..up.planes {
        for row in 0..up.height * rows {
            for column in 0..up.width * columns {
                for (i, upper) in around(row, up.height, rows) {
                    for (j, left) in around(column, up.width, columns) {
                        visit(output, (plane * up.height + i) * up.width + j, upper * left);
                    }
                }
                output += 1;
            }
        }
    }
}

/// Up to four products with weights that are rounded once each, and as many sums for each of the outputs of an input.
#[test]
fn matches_reference() {
    for up in &KINDS {
        let (inputs, outputs) = sizes(up);
        let (x, dy) = (numbers(inputs, 1), numbers(outputs, 2));
        let (mut expected, mut expected_dx) = (vec![0.0; outputs], vec![0.0; inputs]);
        reference(up, |output, input, weight| {
            expected[output] += weight * f64::from(x[input]);
            expected_dx[input] += weight * f64::from(dy[output]);
        });
        let mut y = vec![f32::NAN; outputs];
        up.forward(&x, &mut y);
        for (onto, there) in [(WriteMode::Overwrite, f32::NAN), (WriteMode::Accumulate, 0.5)] {
            let mut dx = vec![there; inputs];
            up.backward(&dy, (&mut dx, onto));
            let added = if onto == WriteMode::Accumulate { 0.5 } else { 0.0 };
            let found = y.iter().zip(&expected).map(|(y, expected)| (f64::from(*y), *expected));
            let gradient =
                dx.iter().zip(&expected_dx).map(|(dx, expected)| (f64::from(*dx), expected + added));
            for (found, expected) in found.chain(gradient) {
                let terms = (4 * up.scale[0] * up.scale[1] * 4 + 4) as f64;
                assert!(
                    (found - expected).abs() <= terms * f64::from(f32::EPSILON),
                    "{up:?}: {found} {expected}"
                );
            }
        }
    }
}

#[test]
fn shuffle_moves_every_element_once_and_back() {
    for (planes, height, width, scale) in [(2, 3, 4, 2), (1, 1, 1, 3), (3, 2, 5, 1), (200, 6, 7, 2)] {
        let shuffle = PixelShuffle { planes, height, width, scale };
        let x = numbers(planes * scale * scale * height * width, 1);
        let mut y = vec![f32::NAN; x.len()];
        shuffle.forward(&x, &mut y);
        for (at, &value) in x.iter().enumerate() {
            let (place, channel) = (at % (height * width), at / (height * width));
            let (c, a, b) = (channel / (scale * scale), channel / scale % scale, channel % scale);
            let (row, column) = (place / width * scale + a, place % width * scale + b);
            assert_eq!(y[(c * height * scale + row) * width * scale + column].to_bits(), value.to_bits());
        }
        let [mut back, mut added] = [f32::NAN, 1.0].map(|there| vec![there; x.len()]);
        shuffle.backward(&y, (&mut back, WriteMode::Overwrite));
        shuffle.backward(&y, (&mut added, WriteMode::Accumulate));
        assert_eq!(back, x);
        let sums: Vec<f32> = x.iter().map(|x| 1.0 + x).collect();
        assert_eq!(added, sums);
    }
}

#[test]
fn results_do_not_depend_on_threads() {
    let up = &KINDS[5];
    let (inputs, outputs) = sizes(up);
    let (x, dy) = (numbers(inputs, 1), numbers(outputs, 2));
    let run = || {
        let (mut y, mut dx) = (vec![f32::NAN; outputs], vec![f32::NAN; inputs]);
        up.forward(&x, &mut y);
        up.backward(&dy, (&mut dx, WriteMode::Overwrite));
        [y, dx].concat().into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    let expected = run();
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        assert!(pool.install(run) == expected, "{threads}");
    }
}

/// At every level.
#[test]
fn pairs_of_columns_have_the_bits_of_single_ones() {
    for width in [1, 2, 3, 4, 19, 40] {
        let up = Upsample { planes: 2, height: 3, width, scale: [3, 2], bilinear: true };
        let (inputs, outputs) = sizes(&up);
        let mut x = numbers(inputs, 1);
        // A mean of these is rounded.
        x.iter_mut().enumerate().for_each(|(place, x)| *x *= 1.0 + place as f32 / 7.0);
        let mut expected = Vec::new();
        for plane in x.chunks(3 * width) {
            for row in 0..9 {
                let rows = Between::of(row, 3, 3);
                let lines = rows.places.map(|row| &plane[row * width..][..width]);
                let column =
                    |column: usize| mixed(lines, rows.weights, Between::of(column, width, 2)).to_bits();
                expected.extend((0..2 * width).map(column));
            }
        }
        for &level in Level::available() {
            let mut y = vec![f32::NAN; outputs];
            simd::at_level(level, || up.forward(&x, &mut y));
            assert!(y.iter().map(|y| y.to_bits()).eq(expected.iter().copied()), "{width}, {level:?}");
        }
    }
}
