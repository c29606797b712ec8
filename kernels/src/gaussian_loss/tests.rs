use proptest::prelude::*;

use super::GaussianLoss;
use crate::reduce::testing::{ROUNDING, compare, differentiate, numbers, same_bits, widen};
use crate::simd::{self, Level};

fn data(loss: &GaussianLoss, spread: f32) -> (Vec<f32>, Vec<f32>) {
    let count = loss.rows * loss.columns;
    let y = numbers(2 * count, 1).into_iter().map(|y| y * spread).collect();
    (y, numbers(count, 2))
}

fn run(loss: &GaussianLoss, y: &[f32], t: &[f32]) -> (f64, Vec<f32>) {
    // The previous contents of the gradient must not affect the result.
    let mut dy = vec![f32::NAN; y.len()];
    let sum = loss.forward_backward(y, t, &mut dy);
    assert_eq!(sum.to_bits(), loss.forward(y, t).to_bits());
    (sum, dy)
}

/// In f64: the sum, the gradient, and the sizes of what both are made of.
fn reference(loss: &GaussianLoss, y: &[f64], t: &[f64]) -> (f64, Vec<f64>, Vec<f64>) {
    let columns = loss.columns;
    let (mut sum, mut d, mut sizes) = (0.0, vec![0.0; y.len()], vec![0.0; y.len()]);
    for (row, t) in t.chunks(columns).enumerate() {
        for (column, t) in t.iter().enumerate() {
            let [mean, log] = [0, columns].map(|part| 2 * row * columns + part + column);
            let (error, raised) = (y[mean] - t, y[log].max(f64::from(loss.floor)));
            let square = error * error * (-raised).exp();
            sum += loss.scale * 0.5 * (raised + square);
            d[mean] = loss.scale * error * (-raised).exp();
            d[log] = loss.scale * 0.5 * (1.0 - square);
            sizes[mean] = loss.scale * (y[mean].abs() + t.abs()) * (-raised).exp();
            sizes[log] = loss.scale * (1.0 + raised.abs() + square);
        }
    }
    (sum, d, sizes)
}

/// An exponential has 2 roundings, an error 1, their products a few more, the sum 36.
fn check(loss: &GaussianLoss, spread: f32) {
    let (y, t) = data(loss, spread);
    let (sum, dy) = run(loss, &y, &t);
    let (expected, d, sizes) = reference(loss, &widen(&y), &widen(&t));
    let off = sizes.iter().sum::<f64>() * ROUNDING * 44.0;
    assert!((sum - expected).abs() <= off, "{loss:?}: {sum} is not {expected} within {off:e}");
    let off: Vec<f64> = sizes.iter().map(|size| size * ROUNDING * 10.0).collect();
    compare("dy", &dy, &d, &off);
}

proptest! {
    #[test]
    fn matches_f64(rows in 1..90_usize, columns in 1..9_usize, spread in 0.1_f32..8.0, floor in -14.0_f32..2.0) {
        check(&GaussianLoss { rows, columns, floor, scale: 1.0 / 3.0 }, spread);
    }
}

/// Several blocks, rows that are longer than a piece, and short ones.
const LARGE: [GaussianLoss; 3] = [
    GaussianLoss { rows: 20_001, columns: 1, floor: -2.0, scale: 1.0 },
    GaussianLoss { rows: 7001, columns: 3, floor: -14.0, scale: 0.1 },
    GaussianLoss { rows: 5, columns: 10_007, floor: -14.0, scale: 1.0 },
];

#[test]
fn matches_f64_over_several_blocks() {
    for loss in &LARGE {
        check(loss, 2.0);
    }
}

#[test]
fn results_do_not_depend_on_simd_level_or_threads() {
    for loss in &LARGE {
        let (y, t) = data(loss, 2.0);
        same_bits(|| vec![run(loss, &y, &t).1]);
        let expected = loss.forward(&y, &t).to_bits();
        for &level in Level::available() {
            assert_eq!(simd::at_level(level, || loss.forward(&y, &t)).to_bits(), expected, "{level:?}");
        }
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            assert_eq!(pool.install(|| loss.forward(&y, &t)).to_bits(), expected, "{threads} threads");
        }
    }
}

/// Where nothing is raised: a raised log-variance has the slope of the one it was raised to.
#[test]
fn reference_loss_gradient_matches_finite_differences() {
    let loss = GaussianLoss { rows: 3, columns: 2, floor: -10.0, scale: 0.5 };
    let (y, t) = data(&loss, 2.0);
    let (mut y, t) = (widen(&y), widen(&t));
    let (_, d, _) = reference(&loss, &y, &t);
    differentiate(&mut y, &d, 1e-8, |y| reference(&loss, y, &t).0);
}

#[test]
fn variance_below_smallest_counts_as_smallest() {
    let loss = GaussianLoss { rows: 1, columns: 1, floor: 0.0, scale: 1.0 };
    assert_eq!(run(&loss, &[3.0, -50.0], &[1.0]), run(&loss, &[3.0, 0.0], &[1.0]));
}

#[test]
fn nan_propagates() {
    let loss = GaussianLoss { rows: 2, columns: 1, floor: -10.0, scale: 1.0 };
    for place in 0..2 {
        let mut y = [0.5; 4];
        y[place] = f32::NAN;
        let (sum, dy) = run(&loss, &y, &[0.0; 2]);
        assert!(sum.is_nan() && dy[0].is_nan() && dy[1].is_nan() && !dy[2].is_nan() && !dy[3].is_nan());
    }
}

#[test]
fn empty_input_is_accepted() {
    for (rows, columns) in [(0, 3), (3, 0)] {
        let loss = GaussianLoss { rows, columns, floor: -10.0, scale: 1.0 };
        assert_eq!(run(&loss, &[], &[]), (0.0, Vec::new()));
    }
}

#[test]
#[should_panic(expected = "t is [rows, columns]")]
fn lengths_are_checked() {
    let _ = GaussianLoss { rows: 1, columns: 1, floor: 0.0, scale: 1.0 }.forward(&[1.0, 1.0], &[]);
}
