use proptest::prelude::*;

use super::{CosineLoss, EPS};
use crate::reduce::testing::{ROUNDING, compare, differentiate, numbers, same_bits, widen};
use crate::simd::{self, Level};

fn data(loss: &CosineLoss, spread: f32) -> (Vec<f32>, Vec<u32>) {
    let y = numbers(2 * loss.rows * loss.size, 1).into_iter().map(|y| y * spread).collect();
    (y, (0..loss.rows).map(|row| u32::from(row % 3 == 1)).collect())
}

fn run(loss: &CosineLoss, y: &[f32], targets: &[u32]) -> (f64, Vec<f32>) {
    // The previous contents of the gradient must not affect the result.
    let mut dy = vec![f32::NAN; y.len()];
    let sum = loss.forward_backward(y, targets, &mut dy);
    assert_eq!(sum.to_bits(), loss.forward(y, targets).to_bits());
    (sum, dy)
}

/// In f64: the sum, the gradient, and the sizes of its terms.
fn reference(loss: &CosineLoss, y: &[f64], targets: &[u32]) -> (f64, Vec<f64>, Vec<f64>) {
    let (mut sum, mut d, mut sizes) = (0.0, Vec::new(), Vec::new());
    for (pair, &target) in y.chunks(2 * loss.size).zip(targets) {
        let (a, b) = pair.split_at(loss.size);
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (ab, aa, bb) = (product(a, b), product(a, a) + EPS, product(b, b) + EPS);
        let norms = (aa * bb).sqrt();
        let above = ab / norms - f64::from(loss.margin);
        let (value, slope) = if target == 1 {
            (1.0 - ab / norms, -1.0)
        } else {
            (above.max(0.0), if above > 0.0 { 1.0 } else { 0.0 })
        };
        sum += value;
        for (own, other, square) in [(a, b, aa), (b, a, bb)] {
            d.extend(
                own.iter().zip(other).map(|(x, other)| slope * (other / norms - ab / norms * x / square)),
            );
            sizes.extend(own.iter().zip(other).map(|(x, other)| (other / norms).abs() + (x / square).abs()));
        }
    }
    (sum, d, sizes)
}

/// A sum of products has 36 roundings of the sum of their sizes, which is at most the product of the norms: so the cosine is off by 36 and
/// as many from the squares, half of them each.
fn check(loss: &CosineLoss, spread: f32) {
    let (y, targets) = data(loss, spread);
    let (sum, dy) = run(loss, &y, &targets);
    let (expected, d, sizes) = reference(loss, &widen(&y), &targets);
    let off = loss.rows as f64 * 80.0 * ROUNDING;
    assert!((sum - expected).abs() <= off, "{loss:?}: {sum} is not {expected} within {off:e}");
    let off: Vec<f64> = sizes.iter().map(|size| size * ROUNDING * 120.0).collect();
    compare("dy", &dy, &d, &off);
}

proptest! {
    #[test]
    fn matches_f64(rows in 1..50_usize, size in 2..200_usize, spread in 0.01_f32..100.0) {
        // No cosine of these numbers is within a rounding of the margin.
        check(&CosineLoss { rows, size, margin: -0.7 }, spread);
    }
}

const LARGE: [CosineLoss; 2] =
    [CosineLoss { rows: 9001, size: 3, margin: 0.1 }, CosineLoss { rows: 300, size: 517, margin: -0.5 }];

#[test]
fn results_do_not_depend_on_simd_level_or_threads() {
    for loss in &LARGE {
        check(loss, 2.0);
        let (y, targets) = data(loss, 2.0);
        same_bits(|| vec![run(loss, &y, &targets).1]);
        let expected = loss.forward(&y, &targets).to_bits();
        for &level in Level::available() {
            assert_eq!(simd::at_level(level, || loss.forward(&y, &targets)).to_bits(), expected, "{level:?}");
        }
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            assert_eq!(pool.install(|| loss.forward(&y, &targets)).to_bits(), expected, "{threads} threads");
        }
    }
}

#[test]
fn reference_loss_gradient_matches_finite_differences() {
    let loss = CosineLoss { rows: 6, size: 3, margin: -0.2 };
    let (y, targets) = data(&loss, 1.0);
    let mut y = widen(&y);
    let (_, d, _) = reference(&loss, &y, &targets);
    differentiate(&mut y, &d, 1e-6, |y| reference(&loss, y, &targets).0);
}

#[test]
fn zero_and_nan_vectors_follow_definition() {
    let loss = CosineLoss { rows: 1, size: 2, margin: 0.5 };
    assert_eq!(run(&loss, &[0.0, 0.0, 1.0, 2.0], &[1]).0.to_bits(), 1.0_f64.to_bits());
    assert_eq!(run(&loss, &[1.0, 0.0, 0.0, 1.0], &[0]), (0.0, vec![0.0; 4]));
    for target in [0, 1] {
        let (sum, dy) = run(&loss, &[f32::NAN, 0.0, 0.0, 1.0], &[target]);
        assert!(sum.is_nan() && dy.iter().all(|d| d.is_nan()), "{dy:?}");
    }
}

#[test]
fn empty_input_is_accepted() {
    assert_eq!(run(&CosineLoss { rows: 0, size: 3, margin: 0.0 }, &[], &[]), (0.0, Vec::new()));
    assert_eq!(run(&CosineLoss { rows: 1, size: 0, margin: 0.0 }, &[], &[1]), (1.0, Vec::new()));
}

#[test]
#[should_panic(expected = "a target is 0 or 1")]
fn targets_are_checked() {
    let _ = CosineLoss { rows: 1, size: 1, margin: 0.0 }.forward(&[1.0, 1.0], &[2]);
}

#[test]
#[should_panic(expected = "y is [rows, 2, size]")]
fn lengths_are_checked() {
    let _ = CosineLoss { rows: 1, size: 1, margin: 0.0 }.forward(&[1.0], &[1]);
}
