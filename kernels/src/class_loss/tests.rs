use proptest::prelude::*;

use super::{ClassLoss, Layout, reference};
use crate::cross_entropy::CrossEntropy;
use crate::reduce::testing::{ROUNDING, bits, compare, differentiate, numbers, same_bits, widen};
use crate::simd::{self, Level};

const LAYOUTS: [Layout; 2] = [Layout::ClassesFirst, Layout::ClassesLast];

/// Logits within `spread`, and targets.
fn data(loss: &ClassLoss<'_>, spread: f32) -> (Vec<f32>, Vec<u32>) {
    let places = loss.samples * loss.places;
    let logits = numbers(places * loss.classes, 1).into_iter().map(|z| z * spread).collect();
    let targets = (0..places).map(|place| (place * 7 % loss.classes.max(1)) as u32).collect();
    (logits, targets)
}

fn run(loss: &ClassLoss<'_>, logits: &[f32], targets: &[u32]) -> (f64, Vec<f32>) {
    // The previous contents of the gradient must not affect the result.
    let mut d = vec![f32::NAN; logits.len()];
    let sum = loss.forward_backward(logits, targets, &mut d);
    assert_eq!(sum.to_bits(), loss.forward(logits, targets).to_bits());
    (sum, d)
}

/// The kernel against the reference.
///
/// With u = 2^-24 and logits within `s`: a distance to the largest logit is within `2 s` and off by `2 s u`, and so is its exponential,
/// relatively, with 4 roundings of its own and what the large distances lose in the reduction, `2 s u` again; a sum of them has 35
/// roundings more. So `p`, `q` and `-ln p` are off by `relative`, where the latter is not the sum of a large part and a small one: it is
/// either above `ln 2` or computed from `q`. A power of `q` has `gamma` times that, and what its logarithm loses, again at most `gamma`
/// times. Below -87.3 an exponential is 0, which is off by 2^-125, and a root of it by 1e-18.
fn check(loss: &ClassLoss<'_>, spread: f32) {
    let (logits, targets) = data(loss, spread);
    let (sum, d) = run(loss, &logits, &targets);
    let (losses, expected) = reference::run(loss, &widen(&logits), &targets);
    let (spread, e) = (f64::from(spread), f64::from(loss.label_smoothing));
    let weight = if loss.weights.is_empty() { 1.0 } else { 2.0 };
    let relative = ROUNDING * (4.0 * spread + 6.0 + 35.0) * (4.0 * f64::from(loss.gamma) + 6.0);
    let smoothed = weight * e * ROUNDING * (2.0 * (loss.classes as f64).ln() + 40.0 * spread);
    let off: f64 = losses.iter().map(|loss| loss * relative + smoothed + 1e-17).sum();
    let expected_sum: f64 = losses.iter().sum();
    assert!((sum - expected_sum).abs() <= off, "{loss:?}: {sum} is not {expected_sum}, within {off:e}");
    let off: Vec<f64> = expected.iter().map(|d| (d.abs() + 2.0 * e * weight) * relative + 1e-17).collect();
    compare("d_logits", &d, &expected, &off);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn matches_reference(
        samples in 1..4_usize,
        classes in 2..40_usize,
        places in 1..150_usize,
        spread in 0.1_f32..60.0,
        kind in 0..4_usize,
        weighted: bool,
        ignored: bool,
        first: bool,
    ) {
        let weights: Vec<f32> = numbers(classes, 3).into_iter().map(|weight| 2.0 * weight.abs()).collect();
        let loss = ClassLoss {
            label_smoothing: if kind == 1 { 0.1 } else { 0.0 },
            gamma: [0.0, 0.0, 2.0, 0.5][kind],
            weights: if weighted { &weights } else { &[] },
            ignored: ignored.then_some(u32::from(!weighted)),
            ..ClassLoss::new(LAYOUTS[usize::from(first)], [samples, classes, places])
        };
        check(&loss, spread);
    }
}

/// Several blocks, and more classes than are summed in f32.
fn large() -> Vec<ClassLoss<'static>> {
    let mut losses = Vec::new();
    for layout in LAYOUTS {
        losses.push(ClassLoss::new(layout, [3, 5, 70 * 71]));
        losses.push(ClassLoss { gamma: 2.0, ..ClassLoss::new(layout, [2, 3, 5000]) });
        losses.push(ClassLoss { label_smoothing: 0.1, ..ClassLoss::new(layout, [2, 150, 200]) });
        losses.push(ClassLoss { gamma: 1.5, ..ClassLoss::new(layout, [1, 3001, 3]) });
    }
    losses
}

#[test]
fn matches_reference_over_several_blocks() {
    for loss in large() {
        check(&loss, 3.0);
    }
}

#[test]
fn reference_loss_gradient_matches_finite_differences() {
    let weights = [0.5, 0.0, 2.0, 1.0, 3.0];
    for (label_smoothing, gamma) in [(0.0, 0.0), (0.2, 0.0), (0.0, 2.0), (0.0, 0.5), (0.0, 1.0)] {
        for weights in [&[] as &[f32], &weights] {
            for layout in LAYOUTS {
                let loss = ClassLoss { label_smoothing, gamma, weights, ..ClassLoss::new(layout, [2, 5, 3]) };
                let (logits, targets) = data(&loss, 2.0);
                let mut logits = widen(&logits);
                let (_, d) = reference::run(&loss, &logits, &targets);
                differentiate(&mut logits, &d, 1e-8, |logits| {
                    reference::run(&loss, logits, &targets).0.iter().sum()
                });
            }
        }
    }
}

#[test]
fn results_do_not_depend_on_simd_level_or_threads() {
    for loss in large() {
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

/// The same numbers in both orders give the same bits, for every place by itself.
#[test]
fn layouts_and_other_places_do_not_affect_a_place() {
    let [samples, classes, places] = [2, 5, 67];
    for (label_smoothing, gamma) in [(0.0, 0.0), (0.1, 0.0), (0.0, 2.0)] {
        let last = ClassLoss {
            label_smoothing,
            gamma,
            ..ClassLoss::new(Layout::ClassesLast, [samples, classes, places])
        };
        let first = ClassLoss { layout: Layout::ClassesFirst, ..last };
        let (rows, targets) = data(&last, 5.0);
        let turned = |rows: &[f32]| -> Vec<f32> {
            let at = |place: usize| {
                let (sample, rest) = (place / (classes * places), place % (classes * places));
                rows[(sample * places + rest % places) * classes + rest / places]
            };
            (0..rows.len()).map(at).collect()
        };
        let (sum, d) = run(&last, &rows, &targets);
        let (other, of_maps) = run(&first, &turned(&rows), &targets);
        assert_eq!(bits(&[turned(&d)]), bits(&[of_maps]));
        assert_eq!(sum.to_bits(), other.to_bits());
        let one = ClassLoss { samples: 1, places: 1, ..last };
        for (place, row) in rows.chunks(classes).enumerate() {
            let (_, alone) = run(&one, row, &targets[place..=place]);
            assert_eq!(bits(&[alone]), bits(&[d[place * classes..][..classes].to_vec()]));
        }
    }
}

/// Cross entropy of rows is also a kernel of its own.
#[test]
fn cross_entropy_of_rows_is_the_same_loss() {
    let weights = [0.5, 1.0, 2.0];
    for label_smoothing in [0.0, 0.1] {
        let rows = CrossEntropy { label_smoothing, weights: &weights, ..CrossEntropy::new(100, 3) };
        let loss = ClassLoss {
            label_smoothing,
            weights: &weights,
            ..ClassLoss::new(Layout::ClassesLast, [1, 3, 100])
        };
        let (logits, targets) = data(&loss, 3.0);
        let (sum, d) = run(&loss, &logits, &targets);
        let mut expected = vec![0.0; 300];
        let expected_sum = rows.forward_backward(&logits, &targets, &mut expected);
        assert!((sum - expected_sum).abs() <= 1e-6 * expected_sum, "{sum}, {expected_sum}");
        compare("d_logits", &d, &widen(&expected), &[4e-6]);
    }
}

#[test]
fn extreme_logits_are_exact() {
    for gamma in [0.0, 0.5, 2.0] {
        let loss = ClassLoss { gamma, ..ClassLoss::new(Layout::ClassesLast, [1, 10, 1]) };
        let mut logits = vec![-10_000.0; 10];
        logits[3] = 10_000.0;
        let (right, d) = run(&loss, &logits, &[3]);
        assert!(right == 0.0 && d.iter().all(|&d| d == 0.0), "{gamma}: {right}, {d:?}");
        let (wrong, d) = run(&loss, &logits, &[4]);
        assert_eq!(
            (wrong.to_bits(), [d[3], d[4]].map(f32::to_bits)),
            (20_000.0_f64.to_bits(), [1.0, -1.0].map(f32::to_bits))
        );
        // A class with a logit of -infinity.
        logits[5] = f32::NEG_INFINITY;
        assert_eq!(run(&loss, &logits, &[3]).0.to_bits(), 0.0_f64.to_bits());
        let (wrong, d) = run(&loss, &logits, &[5]);
        assert!(wrong.is_infinite() && d.iter().all(|d| d.is_finite()), "{wrong}, {d:?}");
    }
}

/// `1 - p` of 1e-12 would be 0 as a difference in f32.
#[test]
fn almost_certain_places_keep_their_digits() {
    let loss = ClassLoss { gamma: 1.0, ..ClassLoss::new(Layout::ClassesFirst, [1, 2, 1]) };
    let (sum, d) = run(&loss, &[0.0, -27.0], &[0]);
    let q = (-27.0_f64).exp();
    assert!((sum / (q * q) - 1.0).abs() < 1e-5, "{sum:e}, {:e}", q * q);
    assert!((f64::from(d[1]) / (2.0 * q * q) - 1.0).abs() < 1e-5, "{d:?}");
}

#[test]
fn nan_propagates() {
    for gamma in [0.0, 2.0] {
        for layout in LAYOUTS {
            let loss = ClassLoss { gamma, ..ClassLoss::new(layout, [2, 10, 1]) };
            for place in [0, 9] {
                let (mut logits, _) = data(&loss, 1.0);
                logits[place] = f32::NAN;
                let (sum, d) = run(&loss, &logits, &[1, 1]);
                assert!(sum.is_nan() && d[..10].iter().all(|d| d.is_nan()));
                assert!(d[10..].iter().all(|d| d.is_finite()));
            }
        }
    }
}

#[test]
fn empty_input_is_accepted() {
    for [samples, classes, places] in [[0, 3, 4], [2, 3, 0], [0, 0, 0]] {
        let loss = ClassLoss::new(Layout::ClassesFirst, [samples, classes, places]);
        assert_eq!(run(&loss, &[], &[]), (0.0, Vec::new()));
    }
}

#[test]
#[should_panic(expected = "target 2 is not below the number of classes, 2")]
fn target_above_class_count_is_rejected() {
    run(&ClassLoss::new(Layout::ClassesLast, [1, 2, 1]), &[0.0; 2], &[2]);
}

#[test]
#[should_panic(expected = "logits have all classes of all places")]
fn lengths_are_checked() {
    run(&ClassLoss::new(Layout::ClassesLast, [1, 2, 1]), &[0.0], &[0]);
}

#[test]
#[should_panic(expected = "weights are none or [classes]")]
fn class_weight_count_is_checked() {
    let loss = ClassLoss { weights: &[1.0], ..ClassLoss::new(Layout::ClassesLast, [1, 2, 1]) };
    run(&loss, &[0.0; 2], &[0]);
}

#[test]
fn ignored_targets_have_no_effect() {
    for (label_smoothing, gamma) in [(0.0, 0.0), (0.1, 0.0), (0.0, 2.0)] {
        for layout in LAYOUTS {
            let all = ClassLoss { label_smoothing, gamma, ..ClassLoss::new(layout, [3, 5, 1]) };
            // Inside the classes and outside.
            for ignored in [2, 255] {
                let loss = ClassLoss { ignored: Some(ignored), ..all };
                let (mut logits, _) = data(&loss, 5.0);
                logits[5..10].fill(f32::NAN);
                let (sum, d) = run(&loss, &logits, &[1, ignored, 0]);
                let both = [&logits[..5], &logits[10..]].concat();
                let (expected, expected_d) = run(&ClassLoss { samples: 2, ..all }, &both, &[1, 0]);
                assert!((sum - expected).abs() <= 1e-12 * expected);
                assert_eq!([&d[..5], &d[10..]].concat(), expected_d);
                assert!(d[5..10].iter().all(|&d| d == 0.0));
                let (nothing, d) = run(&loss, &logits, &[ignored; 3]);
                assert!(nothing == 0.0 && d.iter().all(|&d| d == 0.0));
            }
        }
    }
}
