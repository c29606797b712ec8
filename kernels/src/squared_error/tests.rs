use proptest::prelude::*;

use super::SquaredError;
use crate::reduce::testing::{ROUNDING, compare, numbers, same_bits};
use crate::simd::{self, Level};

fn run(loss: &SquaredError) -> (f64, Vec<f32>) {
    let count = loss.rows * loss.columns;
    let (y, t) = (numbers(count, 1), numbers(count, 2));
    // The previous contents of the gradient must not affect the result.
    let mut dy = vec![f32::NAN; count];
    let sum = loss.forward_backward(&y, &t, &mut dy);
    assert_eq!(sum.to_bits(), loss.forward(&y, &t).to_bits());
    (sum, dy)
}

/// All terms are positive: a square has 3 roundings of its own and at most 38 in its sum. A gradient has 3.
fn check(loss: &SquaredError) {
    let (sum, dy) = run(loss);
    let (y, t) = (numbers(dy.len(), 1), numbers(dy.len(), 2));
    let differences: Vec<f64> = y.iter().zip(&t).map(|(&y, &t)| f64::from(y) - f64::from(t)).collect();
    let columns = loss.columns as f64;
    let expected = differences.iter().map(|difference| difference * difference).sum::<f64>() / columns;
    assert!((sum - expected).abs() <= 41.0 * ROUNDING * expected, "{sum} is not {expected}");
    let gradient: Vec<f64> = differences.iter().map(|difference| 2.0 * difference / columns).collect();
    let off: Vec<f64> = gradient.iter().map(|d| 3.0 * ROUNDING * d.abs()).collect();
    compare("dy", &dy, &gradient, &off);
}

proptest! {
    #[test]
    fn matches_f64(rows in 1..40_usize, columns in 1..90_usize) {
        check(&SquaredError { rows, columns });
    }
}

const LARGE: SquaredError = SquaredError { rows: 30_001, columns: 7 };

#[test]
fn matches_f64_over_several_blocks() {
    check(&LARGE);
}

#[test]
fn results_do_not_depend_on_simd_level_or_threads() {
    same_bits(|| vec![run(&LARGE).1]);
    let expected = run(&LARGE).0.to_bits();
    for &level in Level::available() {
        assert_eq!(simd::at_level(level, || run(&LARGE)).0.to_bits(), expected, "{level:?}");
    }
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        assert_eq!(pool.install(|| run(&LARGE)).0.to_bits(), expected, "{threads} threads");
    }
}

#[test]
fn nan_propagates() {
    let mut dy = [0.0; 2];
    let loss = SquaredError { rows: 2, columns: 1 };
    assert!(loss.forward_backward(&[f32::NAN, 1.0], &[0.0; 2], &mut dy).is_nan());
    assert!(dy[0].is_nan() && !dy[1].is_nan());
}

#[test]
fn empty_input_is_accepted() {
    for (rows, columns) in [(0, 3), (3, 0)] {
        assert_eq!(run(&SquaredError { rows, columns }), (0.0, Vec::new()));
    }
}

#[test]
#[should_panic(expected = "t is [rows, columns]")]
fn lengths_are_checked() {
    let _ = SquaredError { rows: 1, columns: 1 }.forward(&[1.0], &[]);
}
