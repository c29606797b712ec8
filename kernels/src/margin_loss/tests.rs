use proptest::prelude::*;

use super::MarginLoss;
use crate::reduce::testing::{ROUNDING, bits, compare, differentiate, numbers, same_bits, widen};
use crate::simd::{self, Level};

fn data(loss: &MarginLoss) -> (Vec<f32>, Vec<u32>) {
    let targets = (0..loss.rows).map(|row| (row * 7 % loss.classes.max(1)) as u32).collect();
    (numbers(loss.rows * loss.classes, 1), targets)
}

fn run(loss: &MarginLoss, logits: &[f32], targets: &[u32]) -> (f64, Vec<f32>) {
    // The previous contents of the gradient must not affect the result.
    let mut d = vec![f32::NAN; logits.len()];
    let sum = loss.forward_backward(logits, targets, &mut d);
    assert_eq!(sum.to_bits(), loss.forward(logits, targets).to_bits());
    (sum, d)
}

/// As plain loops in f64.
fn reference(loss: &MarginLoss, logits: &[f64], targets: &[u32]) -> (f64, Vec<f64>) {
    let (mut sum, mut gradient) = (0.0, vec![0.0; logits.len()]);
    let share = 1.0 / loss.classes as f64;
    for (row, &target) in targets.iter().enumerate() {
        let (start, right) = (row * loss.classes, row * loss.classes + target as usize);
        for other in (start..start + loss.classes).filter(|&other| other != right) {
            let term = (f64::from(loss.margin) - logits[right] + logits[other]).max(0.0);
            let slope = if loss.squared { 2.0 * term } else { term.signum() * f64::from(term > 0.0) };
            sum += share * if loss.squared { term * term } else { term };
            gradient[other] += share * slope;
            gradient[right] -= share * slope;
        }
    }
    (sum, gradient)
}

/// A term of values within 1 is within 3 and off by two roundings of that, its square by as many of 9 and one more, and
/// with up to 36 in the sum. At the kink a slope of 1 may be one of 0: no value of the data is that close to it.
fn check(loss: &MarginLoss) {
    let (logits, targets) = data(loss);
    let (sum, d) = run(loss, &logits, &targets);
    let (expected, gradient) = reference(loss, &widen(&logits), &targets);
    let off = ROUNDING * loss.rows as f64 * 9.0 * (5.0 + 36.0);
    assert!((sum - expected).abs() <= off, "{loss:?}: {sum} is not {expected}");
    let off: Vec<f64> = gradient.iter().map(|d| ROUNDING * (6.0 + 44.0 * d.abs())).collect();
    compare("d_logits", &d, &gradient, &off);
}

proptest! {
    #[test]
    fn matches_f64(rows in 1..30_usize, classes in 1..90_usize, squared: bool) {
        check(&MarginLoss { rows, classes, margin: 0.7, squared });
    }
}

const LARGE: MarginLoss = MarginLoss { rows: 9001, classes: 11, margin: 0.5, squared: true };

#[test]
fn results_do_not_depend_on_simd_level_or_threads() {
    check(&LARGE);
    let (logits, targets) = data(&LARGE);
    same_bits(|| vec![run(&LARGE, &logits, &targets).1]);
    let expected = LARGE.forward(&logits, &targets).to_bits();
    for &level in Level::available() {
        let found = simd::at_level(level, || run(&LARGE, &logits, &targets).0);
        assert_eq!(found.to_bits(), expected, "{level:?}");
    }
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        assert_eq!(pool.install(|| run(&LARGE, &logits, &targets).0).to_bits(), expected);
    }
}

#[test]
fn row_result_does_not_depend_on_other_rows() {
    let all = MarginLoss { rows: 3, classes: 5, margin: 1.0, squared: true };
    let (logits, targets) = data(&all);
    let (_, together) = run(&all, &logits, &targets);
    for row in 0..3 {
        let part = row * 5..(row + 1) * 5;
        let (_, d) = run(&MarginLoss { rows: 1, ..all }, &logits[part.clone()], &targets[row..][..1]);
        assert_eq!(bits(&[d]), bits(&[together[part].to_vec()]));
    }
}

#[test]
fn reference_loss_gradient_matches_finite_differences() {
    for squared in [false, true] {
        let loss = MarginLoss { rows: 3, classes: 6, margin: 1.0, squared };
        let (logits, targets) = data(&loss);
        let mut logits = widen(&logits);
        let (_, d) = reference(&loss, &logits, &targets);
        differentiate(&mut logits, &d, 1e-8, |logits| reference(&loss, logits, &targets).0);
    }
}

/// A margin that is just kept has no slope.
#[test]
fn margin_ties_and_nan_follow_definition() {
    for squared in [false, true] {
        let loss = MarginLoss { rows: 1, classes: 3, margin: 1.0, squared };
        assert_eq!(run(&loss, &[0.0, 1.0, 0.0], &[1]), (0.0, vec![0.0, -0.0, 0.0]));
        let (sum, d) = run(&loss, &[0.0, 1.0, f32::NAN], &[1]);
        assert!(sum.is_nan() && d[2].is_nan() && d[1].is_nan());
        let (sum, _) = run(&loss, &[1e4, -1e4, -1e4], &[1]);
        let terms = if squared { 20_001.0_f64.powi(2) + 1.0 } else { 20_002.0 };
        assert!((sum * 3.0 - terms).abs() <= terms * 4.0 * ROUNDING);
    }
}

#[test]
fn single_class_and_empty_input_are_accepted() {
    let loss = MarginLoss { rows: 1, classes: 1, margin: 1.0, squared: false };
    assert_eq!(run(&loss, &[3.0], &[0]), (0.0, vec![0.0]));
    assert_eq!(run(&MarginLoss { rows: 0, ..loss }, &[], &[]), (0.0, Vec::new()));
}

#[test]
#[should_panic(expected = "a target is not below the number of classes, 1")]
fn target_above_class_count_is_rejected() {
    run(&MarginLoss { rows: 1, classes: 1, margin: 1.0, squared: false }, &[3.0], &[1]);
}
