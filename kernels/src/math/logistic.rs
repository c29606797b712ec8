//! The logistic function.

use super::exponential::{LEAST, Reduced};
use super::size;

/// `1 / (1 + exp(-x))`, by `exp(-|x|)`, which cannot overflow.
#[inline(always)]
#[must_use]
pub fn sigmoid(x: f32) -> f32 {
    let reduced = Reduced::new(-size(x, -LEAST));
    let [one, two] = reduced.powers();
    let small = reduced.exp() * one * two;
    (if x < 0.0 { small } else { 1.0 }) / (1.0 + small)
}

/// `sigmoid'(x) = e / (1 + e)^2` with `e = exp(-|x|)`
#[inline(always)]
#[must_use]
pub fn sigmoid_slope(x: f32) -> f32 {
    let reduced = Reduced::new(-size(x, -LEAST));
    let [one, two] = reduced.powers();
    let small = reduced.exp() * one;
    let sum = small.mul_add(two, 1.0);
    small / (sum * sum) * two
}
