//! The sigmoid linear unit, and similar functions.

use super::exponential::Reduced;
use super::{ramp, size};

/// Beyond it, the difference from `max(x, 0)` is 0: `x exp(-x)` is below the smallest number.
const END: f32 = 112.0;

/// `x * sigmoid(x)`, which is `max(x, 0) - |x| sigmoid(-|x|)`.
#[inline(always)]
#[must_use]
pub fn silu(x: f32) -> f32 {
    let size = size(x, END);
    gated(x, size, Reduced::new(-size))
}

/// `silu'(x)`
#[inline(always)]
#[must_use]
pub fn silu_slope(x: f32) -> f32 {
    let size = size(x, END);
    gated_slope(x, size, Reduced::new(-size))
}

/// `max(x, 0) - size * e / (1 + e)` with `e = exp(reduced)`
#[inline(always)]
pub(super) fn gated(x: f32, size: f32, reduced: Reduced) -> f32 {
    let [one, two] = reduced.powers();
    let small = reduced.exp() * one;
    ramp(x) - size * small / small.mul_add(two, 1.0) * two
}

/// With `D = (1 - size / (1 + e)) e / (1 + e)`: `D` below 0, else `1 - D`.
#[inline(always)]
pub(super) fn gated_slope(x: f32, size: f32, reduced: Reduced) -> f32 {
    let [one, two] = reduced.powers();
    let small = reduced.exp() * one;
    let quotient = 1.0 / small.mul_add(two, 1.0);
    let part = small * quotient * (-size).mul_add(quotient, 1.0) * two;
    if x < 0.0 { part } else { 1.0 - part }
}
