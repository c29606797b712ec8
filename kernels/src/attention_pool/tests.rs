use proptest::prelude::*;

use super::AttentionPool;
use crate::matmul::WriteMode;
use crate::reduce::testing::{ROUNDING, compare, differentiate, numbers, same_bits, widen};

fn data(pool: &AttentionPool, spread: f32) -> [Vec<f32>; 3] {
    let AttentionPool { batch, length, features, heads } = *pool;
    let scores = numbers(batch * length * heads, 2).into_iter().map(|score| spread * score).collect();
    [numbers(batch * length * features, 1), scores, numbers(batch * features, 3)]
}

/// In f64: the weights and the means.
fn forward(pool: &AttentionPool, x: &[f64], scores: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let AttentionPool { batch, length, features, heads } = *pool;
    let (mut weights, mut y) = (vec![0.0; scores.len()], vec![0.0; batch * features]);
    for sample in 0..batch {
        for head in 0..heads {
            let at = |position: usize| (sample * length + position) * heads + head;
            let scaled = |position: usize| scores[at(position)] / (features as f64).sqrt();
            let largest = (0..length).map(scaled).fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = (0..length).map(|position| (scaled(position) - largest).exp()).sum();
            for position in 0..length {
                weights[at(position)] = (scaled(position) - largest).exp() / sum;
                for feature in head * (features / heads)..(head + 1) * (features / heads) {
                    let value = x[(sample * length + position) * features + feature];
                    y[sample * features + feature] += weights[at(position)] * value;
                }
            }
        }
    }
    (weights, y)
}

/// In f64: the gradients of the scores and of the values.
fn backward(pool: &AttentionPool, x: &[f64], weights: &[f64], d: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let AttentionPool { batch, length, features, heads } = *pool;
    let (mut d_scores, mut dx) = (vec![0.0; weights.len()], vec![0.0; x.len()]);
    for sample in 0..batch {
        for head in 0..heads {
            let at = |position: usize| (sample * length + position) * heads + head;
            let part = head * (features / heads)..(head + 1) * (features / heads);
            let slope = |position: usize| -> f64 {
                let of = |feature: usize| {
                    x[(sample * length + position) * features + feature] * d[sample * features + feature]
                };
                part.clone().map(of).sum()
            };
            let mean: f64 = (0..length).map(|position| weights[at(position)] * slope(position)).sum();
            for position in 0..length {
                d_scores[at(position)] =
                    weights[at(position)] * (slope(position) - mean) / (features as f64).sqrt();
                for feature in part.clone() {
                    dx[(sample * length + position) * features + feature] =
                        weights[at(position)] * d[sample * features + feature];
                }
            }
        }
    }
    (d_scores, dx)
}

fn run(pool: &AttentionPool, spread: f32) -> Vec<Vec<f32>> {
    let [x, mut weights, d] = data(pool, spread);
    let (mut y, mut d_scores, mut dx) =
        (vec![f32::NAN; d.len()], vec![f32::NAN; weights.len()], vec![f32::NAN; x.len()]);
    pool.forward(&x, &mut weights, &mut y);
    pool.backward_scores(&x, &weights, &d, &mut d_scores);
    pool.backward_values(&weights, &d, (&mut dx, WriteMode::Overwrite));
    vec![weights, y, d_scores, dx]
}

/// A weight has the rounding of a scaled distance of up to `2 spread`, of an exponential and of the sum; a mean has a rounding for each
/// position; a product of two parts has up to 36.
fn check(pool: &AttentionPool, spread: f32) {
    let [x, scores, d] = data(pool, spread).map(|values| widen(&values));
    let found = run(pool, spread);
    let (weights, y) = forward(pool, &x, &scores);
    let (d_scores, dx) = backward(pool, &x, &weights, &d);
    let of_weight = ROUNDING * (6.0 * f64::from(spread) + 8.0);
    let each = |values: &[f64], relative: f64| -> Vec<f64> {
        values.iter().map(|value| value.abs() * relative + 1e-37).collect()
    };
    compare("weights", &found[0], &weights, &each(&weights, of_weight));
    compare("y", &found[1], &y, &[of_weight + ROUNDING * (pool.length as f64 + 1.0)]);
    let part = (pool.features / pool.heads) as f64;
    let off: Vec<f64> =
        weights.iter().map(|weight| weight * part * (2.0 * of_weight + 80.0 * ROUNDING) + 1e-37).collect();
    compare("d_scores", &found[2], &d_scores, &off);
    compare("dx", &found[3], &dx, &each(&dx, of_weight + ROUNDING));
}

proptest! {
    #[test]
    fn matches_f64(batch in 1..5_usize, length in 1..20_usize, heads in 1..5_usize, part in 1..70_usize, spread in 0.1_f32..30.0) {
        check(&AttentionPool { batch, length, features: heads * part, heads }, spread);
    }
}

const LARGE: AttentionPool = AttentionPool { batch: 40, length: 33, features: 96, heads: 4 };

#[test]
fn results_do_not_depend_on_simd_level_or_threads() {
    check(&LARGE, 3.0);
    same_bits(|| run(&LARGE, 3.0));
}

#[test]
fn reference_gradients_match_finite_differences() {
    let pool = AttentionPool { batch: 2, length: 3, features: 4, heads: 2 };
    let [x, scores, d] = data(&pool, 2.0).map(|values| widen(&values));
    let loss =
        |x: &[f64], scores: &[f64]| forward(&pool, x, scores).1.iter().zip(&d).map(|(y, d)| y * d).sum();
    let (weights, _) = forward(&pool, &x, &scores);
    let (d_scores, dx) = backward(&pool, &x, &weights, &d);
    differentiate(&mut scores.clone(), &d_scores, 1e-8, |scores| loss(&x, scores));
    differentiate(&mut x.clone(), &dx, 1e-8, |x| loss(x, &scores));
}

#[test]
fn values_gradient_is_added() {
    let [_, _, d] = data(&LARGE, 1.0);
    let found = run(&LARGE, 1.0);
    let mut dx = vec![1.0; found[3].len()];
    LARGE.backward_values(&found[0], &d, (&mut dx, WriteMode::Accumulate));
    assert!(dx.iter().zip(&found[3]).all(|(added, dx)| added.to_bits() == (1.0 + dx).to_bits()));
}

#[test]
fn large_scores_do_not_overflow_and_nan_propagates() {
    let pool = AttentionPool { batch: 1, length: 2, features: 1, heads: 1 };
    let (mut weights, mut y) = ([1e30, -1e30], [0.0]);
    pool.forward(&[2.0, 3.0], &mut weights, &mut y);
    assert_eq!((weights, y), ([1.0, 0.0], [2.0]));
    let mut weights = [f32::NAN, 0.0];
    pool.forward(&[2.0, 3.0], &mut weights, &mut y);
    assert!(y[0].is_nan());
}

#[test]
#[should_panic(expected = "heads divide the features")]
fn heads_are_checked() {
    AttentionPool { batch: 1, length: 1, features: 3, heads: 2 }.forward(
        &[0.0; 3],
        &mut [0.0; 2],
        &mut [0.0; 3],
    );
}
