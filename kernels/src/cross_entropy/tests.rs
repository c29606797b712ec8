use proptest::prelude::*;

use super::{CrossEntropy, reference};
use crate::reduce::testing::{ROUNDING, bits, compare, differentiate, numbers, same_bits, widen};
use crate::simd::{self, Level};

/// Logits within `spread`, and targets.
fn data(loss: &CrossEntropy<'_>, spread: f32) -> (Vec<f32>, Vec<u32>) {
    let logits = numbers(loss.rows * loss.classes, 1).into_iter().map(|z| z * spread).collect();
    let targets = (0..loss.rows).map(|row| (row * 7 % loss.classes.max(1)) as u32).collect();
    (logits, targets)
}

fn run(loss: &CrossEntropy<'_>, logits: &[f32], targets: &[u32]) -> (f64, Vec<f32>) {
    // The previous contents of the gradient must not affect the result.
    let mut d = vec![f32::NAN; logits.len()];
    let sum = loss.forward_backward(logits, targets, &mut d);
    assert_eq!(sum.to_bits(), loss.forward(logits, targets).to_bits());
    (sum, d)
}

/// The kernel against the reference.
///
/// With u = 2^-24 and logits within `s`: a distance to the largest logit is within `2 s` and off by `2 s u`, and so is
/// its exponential, relatively, with 4 roundings of its own (its polynomial, 5e-9, and the rest) and
/// what the large distances lose in the reduction, `2 s u` again; below -87.3 it is 0, which is off by 2^-125. Their sum has 38
/// roundings more; its logarithm has the sum's relative error and two roundings of itself. A probability has that
/// of an exponential and of the sum. Weights are within 2, and add a rounding each.
fn check(loss: &CrossEntropy<'_>, spread: f32) {
    let (logits, targets) = data(loss, spread);
    let (sum, d) = run(loss, &logits, &targets);
    let (losses, expected) = reference::run(loss, &widen(&logits), &targets);
    let (spread, e) = (f64::from(spread), f64::from(loss.label_smoothing));
    let weight = if loss.weights.is_empty() { 1.0 } else { 2.0 };
    let relative = weight * ROUNDING * (4.0 * spread + 6.0 + 38.0);
    let log = (loss.classes as f64).ln();
    let off = losses
        .iter()
        .map(|loss| relative + weight * ROUNDING * (2.0 * log + 40.0 * spread * e + loss))
        .sum::<f64>();
    let expected_sum: f64 = losses.iter().sum();
    assert!((sum - expected_sum).abs() <= off, "{loss:?}: {sum} is not {expected_sum}, within {off:e}");
    // A probability of at most 1, the share of a class, and their difference.
    let off: Vec<f64> = expected.iter().map(|d| (d.abs() + weight + e) * (2.0 * relative)).collect();
    compare("d_logits", &d, &expected, &off);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn matches_reference(
        rows in 1..40_usize,
        classes in 1..90_usize,
        spread in 0.1_f32..60.0,
        smooth: bool,
        weighted: bool,
        ignored: bool,
    ) {
        let weights: Vec<f32> = numbers(classes, 3).into_iter().map(|weight| 2.0 * weight.abs()).collect();
        let loss = CrossEntropy {
            label_smoothing: if smooth { 0.1 } else { 0.0 },
            weights: if weighted { &weights } else { &[] },
            ignored: ignored.then_some(u32::from(!weighted)),
            ..CrossEntropy::new(rows, classes)
        };
        check(&loss, spread);
    }
}

const LARGE: [CrossEntropy<'_>; 3] = [
    CrossEntropy::new(4000, 10),
    CrossEntropy { label_smoothing: 0.1, ..CrossEntropy::new(1500, 65) },
    CrossEntropy { label_smoothing: 0.1, ..CrossEntropy::new(3, 20_011) },
];

#[test]
fn matches_reference_over_several_blocks() {
    for loss in &LARGE {
        check(loss, 3.0);
    }
}

#[test]
fn reference_loss_gradient_matches_finite_differences() {
    let weights = [0.5, 0.0, 2.0, 1.0, 3.0];
    for (label_smoothing, weights) in [(0.0, &[] as &[f32]), (0.2, &[]), (0.0, &weights), (0.2, &weights)] {
        let loss = CrossEntropy { label_smoothing, weights, ..CrossEntropy::new(3, 5) };
        let (logits, targets) = data(&loss, 2.0);
        let mut logits = widen(&logits);
        let (_, d) = reference::run(&loss, &logits, &targets);
        differentiate(&mut logits, &d, 1e-8, |logits| reference::run(&loss, logits, &targets).0.iter().sum());
    }
}

#[test]
fn results_do_not_depend_on_simd_level_or_threads() {
    let odd = CrossEntropy { label_smoothing: 0.1, ..CrossEntropy::new(33, 37) };
    for loss in LARGE.into_iter().chain([odd]) {
        let (logits, targets) = data(&loss, 5.0);
        same_bits(|| vec![run(&loss, &logits, &targets).1]);
        let expected = loss.forward(&logits, &targets);
        for &level in Level::available() {
            let found = simd::at_level(level, || run(&loss, &logits, &targets).0);
            assert_eq!(found.to_bits(), expected.to_bits(), "{level:?}");
        }
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            let found = pool.install(|| run(&loss, &logits, &targets).0);
            assert_eq!(found.to_bits(), expected.to_bits(), "{threads} threads");
        }
    }
}

#[test]
fn row_result_does_not_depend_on_other_rows() {
    for classes in [1, 3, 10, 16, 17, 65] {
        let all = CrossEntropy { label_smoothing: 0.1, ..CrossEntropy::new(7, classes) };
        let one = CrossEntropy { rows: 1, ..all };
        let (logits, targets) = data(&all, 5.0);
        let (sum, together) = run(&all, &logits, &targets);
        let mut expected = 0.0;
        for row in 0..all.rows {
            let part = row * classes..(row + 1) * classes;
            let (loss, d) = run(&one, &logits[part.clone()], &targets[row..][..1]);
            assert_eq!(bits(&[d]), bits(&[together[part].to_vec()]));
            expected += loss;
        }
        assert_eq!(sum.to_bits(), expected.to_bits());
    }
}

#[test]
fn extreme_logits_are_exact() {
    for classes in [10, 40] {
        let loss = CrossEntropy::new(1, classes);
        let mut logits = vec![-10_000.0; classes];
        logits[3] = 10_000.0;
        let (right, d) = run(&loss, &logits, &[3]);
        assert_eq!((right, d), (0.0, vec![0.0; classes]));
        let (wrong, d) = run(&loss, &logits, &[4]);
        assert_eq!(
            (wrong.to_bits(), [d[3], d[4]].map(f32::to_bits)),
            (20_000.0_f64.to_bits(), [1.0, -1.0].map(f32::to_bits))
        );
        // A class with a logit of -infinity.
        logits[5] = f32::NEG_INFINITY;
        assert_eq!(run(&loss, &logits, &[3]), (0.0, vec![0.0; classes]));
        assert!(run(&loss, &logits, &[5]).0.is_infinite());
    }
}

#[test]
fn nan_propagates() {
    for classes in [10, 40] {
        let loss = CrossEntropy::new(2, classes);
        for place in [0, classes - 1] {
            let (mut logits, _) = data(&loss, 1.0);
            logits[place] = f32::NAN;
            let (sum, d) = run(&loss, &logits, &[1, 1]);
            assert!(sum.is_nan() && d[..classes].iter().all(|d| d.is_nan()));
            assert!(d[classes..].iter().all(|d| d.is_finite()));
        }
    }
}

#[test]
fn empty_input_is_accepted() {
    for classes in [0, 3] {
        let loss = CrossEntropy::new(0, classes);
        assert_eq!(run(&loss, &[], &[]), (0.0, Vec::new()));
    }
}

#[test]
#[should_panic(expected = "target 2 is not below the number of classes, 2")]
fn target_above_class_count_is_rejected() {
    run(&CrossEntropy::new(1, 2), &[0.0; 2], &[2]);
}

#[test]
#[should_panic(expected = "logits are [rows, classes]")]
fn lengths_are_checked() {
    run(&CrossEntropy::new(1, 2), &[0.0], &[0]);
}

#[test]
fn ignored_targets_have_no_effect() {
    for classes in [5, 40] {
        let weights = vec![0.5; classes];
        let all = CrossEntropy { label_smoothing: 0.1, weights: &weights, ..CrossEntropy::new(3, classes) };
        // Inside the classes and outside.
        for ignored in [2, 255] {
            let loss = CrossEntropy { ignored: Some(ignored), ..all };
            let (mut logits, _) = data(&loss, 5.0);
            logits[classes..2 * classes].fill(f32::NAN);
            let (sum, d) = run(&loss, &logits, &[1, ignored, 0]);
            let both = [&logits[..classes], &logits[2 * classes..]].concat();
            let (expected, expected_d) = run(&CrossEntropy { rows: 2, ..all }, &both, &[1, 0]);
            assert_eq!(sum.to_bits(), expected.to_bits());
            assert_eq!([&d[..classes], &d[2 * classes..]].concat(), expected_d);
            assert_eq!(d[classes..2 * classes], vec![0.0; classes]);
            let nothing = run(&loss, &logits, &[ignored; 3]);
            assert_eq!(nothing, (0.0, vec![0.0; 3 * classes]));
        }
    }
}

#[test]
#[should_panic(expected = "weights are none or [classes]")]
fn class_weight_count_is_checked() {
    run(&CrossEntropy { weights: &[1.0], ..CrossEntropy::new(1, 2) }, &[0.0; 2], &[0]);
}

/// Vectors that are just full, and just not.
#[test]
fn class_weights_apply_for_every_class_count() {
    for classes in 1..=2 * 16 + 1 {
        let weights: Vec<f32> = (1..=classes).map(|weight| 2.0 / weight as f32).collect();
        let loss = CrossEntropy { label_smoothing: 0.1, weights: &weights, ..CrossEntropy::new(5, classes) };
        check(&loss, 3.0);
    }
}
