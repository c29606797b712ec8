use proptest::prelude::*;

use super::{Function, PointwiseLoss, repeated};
use crate::reduce::testing::{ROUNDING, compare, differentiate, numbers, same_bits, widen};
use crate::simd::{self, Level};

const WEIGHTS: [f32; 3] = [0.5, 1.0, 4.0];

fn all(weights: &[f32]) -> [Function<'_>; 12] {
    [
        Function::Absolute,
        Function::Huber { delta: 0.6 },
        Function::SmoothL1 { beta: 0.6 },
        Function::Logistic { weights: &[] },
        Function::Logistic { weights },
        Function::Margin { margin: 0.5, squared: false },
        Function::Margin { margin: 0.5, squared: true },
        Function::Divergence,
        Function::Poisson,
        Function::Focal { gamma: 2.0, alpha: 0.25 },
        Function::Focal { gamma: 0.5, alpha: 1.0 },
        Function::Focal { gamma: 0.0, alpha: 0.5 },
    ]
}

/// Predictions within `spread`, and targets from 0 to 1, of which some are 0 or 1; for a margin and a focal loss, all.
fn data(function: Function<'_>, count: usize, spread: f32) -> (Vec<f32>, Vec<f32>) {
    let y = numbers(count, 1).into_iter().map(|y| y * spread).collect();
    let is_whole = matches!(function, Function::Margin { .. } | Function::Focal { .. });
    let target = |t: f32| if is_whole { t.round() } else { (1.5 * t).min(1.0) };
    (y, numbers(count, 2).into_iter().map(|t| target(t.abs())).collect())
}

fn run(loss: &PointwiseLoss<'_>, y: &[f32], t: &[f32]) -> (f64, Vec<f32>) {
    // The previous contents of the gradient must not affect the result.
    let mut dy = vec![f32::NAN; y.len()];
    let sum = loss.forward_backward(y, t, &mut dy);
    assert_eq!(sum.to_bits(), loss.forward(y, t).to_bits());
    (sum, dy)
}

/// One element in f64: its loss, its slope, and the sum of the sizes of what they are made of.
fn reference(function: Function<'_>, index: usize, y: f64, t: f64) -> (f64, f64, f64) {
    let error = y - t;
    let (loss, slope) = match function {
        Function::Absolute => (error.abs(), error.signum()),
        Function::Huber { delta } => {
            let delta = f64::from(delta);
            if error.abs() <= delta {
                (error * error / 2.0, error)
            } else {
                (delta * (error.abs() - delta / 2.0), delta * error.signum())
            }
        }
        Function::SmoothL1 { beta } => {
            let beta = f64::from(beta);
            if error.abs() < beta {
                (error * error / 2.0 / beta, error / beta)
            } else {
                (error.abs() - beta / 2.0, error.signum())
            }
        }
        Function::Logistic { weights } => {
            let weight = if weights.is_empty() { 1.0 } else { f64::from(WEIGHTS[index % 3]) };
            let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
            let loss = weight * t * softplus(-y) + (1.0 - t) * softplus(y);
            let slope = (1.0 - t) / (1.0 + (-y).exp()) - weight * t / (1.0 + y.exp());
            return (loss, slope, loss + weight * t + 1.0 - t);
        }
        Function::Margin { margin, squared } => {
            let s = 2.0 * t - 1.0;
            let missing = (f64::from(margin) - s * y).max(0.0);
            if squared {
                (missing * missing, -2.0 * s * missing)
            } else {
                (missing, if missing > 0.0 { -s } else { 0.0 })
            }
        }
        Function::Divergence if t == 0.0 => (0.0, 0.0),
        Function::Divergence => return (t * (t.ln() - y), -t, t * (t.ln().abs() + y.abs()) + t),
        Function::Poisson => return (y.exp() - t * y, y.exp() - t, y.exp() + t * y.abs() + t),
        Function::Focal { gamma, alpha } => {
            let (gamma, alpha, s) = (f64::from(gamma), f64::from(alpha), 1.0 - 2.0 * t);
            let weight = if t > 0.5 { alpha } else { 1.0 - alpha };
            let softplus = (s * y).max(0.0) + (-y.abs()).exp().ln_1p();
            let q = 1.0 / (1.0 + (-s * y).exp());
            let loss = weight * q.powf(gamma) * softplus;
            let slope = s * weight * q.powf(gamma) * (gamma * (1.0 - q) * softplus + q);
            // A power is off by up to 6 roundings of 1 where it is small.
            return (loss, slope, loss + weight * (1.0 + gamma));
        }
    };
    // A difference is rounded once, a square and a product with a constant a few times more.
    (loss, slope, loss.abs() + slope.abs() + error.abs())
}

/// A term is off by 8 roundings of what it is made of (an exponential and a logarithm have 3 each), the sum by 36 more; a
/// slope by as many as a term and one for the scale.
fn check(function: Function<'_>, count: usize, spread: f32) {
    let (y, t) = data(function, count, spread);
    let loss = PointwiseLoss { function, scale: 1.0 / 3.0 };
    let (sum, dy) = run(&loss, &y, &t);
    let terms: Vec<_> =
        (0..count).map(|index| reference(function, index, y[index].into(), t[index].into())).collect();
    let expected = terms.iter().map(|term| term.0).sum::<f64>() / 3.0;
    let off = terms.iter().map(|term| term.2).sum::<f64>() * ROUNDING * 44.0 / 3.0;
    assert!((sum - expected).abs() <= off, "{function:?}: {sum} is not {expected} within {off:e}");
    let gradient: Vec<f64> = terms.iter().map(|term| term.1 / 3.0).collect();
    let off: Vec<f64> = terms.iter().map(|term| term.2 * ROUNDING * 10.0 / 3.0).collect();
    compare("dy", &dy, &gradient, &off);
}

proptest! {
    #[test]
    fn matches_f64(rows in 1..60_usize, columns in 1..9_usize, spread in 0.1_f32..60.0) {
        let weights = repeated(&WEIGHTS);
        for function in all(&weights) {
            check(function, 3 * rows * columns, spread);
        }
    }
}

#[test]
fn results_do_not_depend_on_simd_level_or_threads() {
    let (count, weights) = (3 * 30_001, repeated(&WEIGHTS));
    for function in all(&weights) {
        check(function, count, 3.0);
        let (y, t) = data(function, count, 3.0);
        let loss = PointwiseLoss { function, scale: 0.1 };
        same_bits(|| vec![run(&loss, &y, &t).1]);
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

#[test]
fn reference_loss_gradient_matches_finite_differences() {
    let weights = repeated(&WEIGHTS);
    for function in all(&weights) {
        let (y, t) = data(function, 9, 2.0);
        let (mut y, t) = (widen(&y), widen(&t));
        let at = |index: usize, y: f64| reference(function, index, y, t[index]);
        let gradient: Vec<f64> = (0..9).map(|index| at(index, y[index]).1).collect();
        differentiate(&mut y, &gradient, 1e-8, |y| (0..9).map(|index| at(index, y[index]).0).sum());
    }
}

/// No exponential overflows, and what is small stays: `ln(1 + exp(-50))` is far below the rounding of 1.
#[test]
fn extreme_logits_are_accurate() {
    let loss = PointwiseLoss { function: Function::Logistic { weights: &[] }, scale: 1.0 };
    assert_eq!(run(&loss, &[1e4, -1e4], &[1.0, 0.0]), (0.0, vec![0.0; 2]));
    assert_eq!(run(&loss, &[1e4, -1e4], &[0.0, 1.0]), (2e4, vec![1.0, -1.0]));
    for (y, t) in [(50.0, 1.0), (-50.0, 0.0), (12.0, 1.0)] {
        let (sum, d) = run(&loss, &[y], &[t]);
        let exact = f64::from(-y.abs()).exp().ln_1p();
        assert!((sum / exact - 1.0).abs() < 8.0 * ROUNDING, "{sum}, not {exact}");
        assert!((f64::from(d[0].abs()) / exact - 1.0).abs() < 1e-5);
    }
}

/// The two sides meet at the bound, an exact hit has the slope 0, and a class with probability 0 contributes nothing.
#[test]
fn loss_slopes_at_bounds_follow_definition() {
    let one = |function, y: f32, t: f32| run(&PointwiseLoss { function, scale: 1.0 }, &[y], &[t]);
    assert_eq!(one(Function::Absolute, 2.0, 2.0), (0.0, vec![0.0]));
    assert_eq!(one(Function::Huber { delta: 2.0 }, 3.0, 1.0), (2.0, vec![2.0]));
    assert_eq!(one(Function::Huber { delta: 2.0 }, -3.0, 1.0), (6.0, vec![-2.0]));
    assert_eq!(one(Function::SmoothL1 { beta: 2.0 }, 3.0, 1.0), (1.0, vec![1.0]));
    assert_eq!(one(Function::SmoothL1 { beta: 2.0 }, 2.0, 1.0), (0.25, vec![0.5]));
    assert_eq!(one(Function::SmoothL1 { beta: 0.0 }, 1.0, 1.0), (0.0, vec![0.0]));
    assert_eq!(one(Function::Margin { margin: 1.0, squared: false }, 1.0, 1.0), (0.0, vec![0.0]));
    assert_eq!(one(Function::Divergence, f32::NEG_INFINITY, 0.0), (0.0, vec![0.0]));
    assert!(one(Function::Divergence, f32::NEG_INFINITY, 0.5).0.is_infinite());
}

#[test]
fn nan_propagates() {
    let weights = repeated(&WEIGHTS);
    for function in all(&weights) {
        let loss = PointwiseLoss { function, scale: 1.0 };
        let (sum, dy) = run(&loss, &[f32::NAN, 0.5, 0.5], &[1.0, 1.0, 1.0]);
        assert!(sum.is_nan(), "{function:?}");
        // A divergence's slope is that of its target alone.
        assert!(dy[0].is_nan() || matches!(function, Function::Divergence), "{function:?}");
        assert!(!dy[1].is_nan());
    }
}

#[test]
fn empty_input_is_accepted() {
    let weights = repeated(&WEIGHTS);
    for function in all(&weights) {
        assert_eq!(run(&PointwiseLoss { function, scale: 1.0 }, &[], &[]), (0.0, Vec::new()));
    }
}

#[test]
#[should_panic(expected = "t is as long as y")]
fn lengths_are_checked() {
    let _ = PointwiseLoss { function: Function::Absolute, scale: 1.0 }.forward(&[1.0], &[]);
}
