//! The exponential less 1, softplus, and Mish.

use super::exponential::{LEAST, Reduced};
use super::{ln_1p, sigmoid};

/// Beyond it, Mish is 0 below, and `x` above.
const END: f32 = 112.0;

/// `exp(x) - 1` for `x` of at most 0; a larger one counts as 0.
#[inline(always)]
#[must_use]
pub fn exp_m1(x: f32) -> f32 {
    let x = if x < LEAST { LEAST } else { x };
    let x = if x > 0.0 { 0.0 } else { x };
    let reduced = Reduced::new(x);
    let [one, two] = reduced.powers();
    let power = one * two;
    reduced.exp_m1().mul_add(power, power - 1.0)
}

/// `ln(1 + exp(x))`, which is `max(x, 0) + ln(1 + exp(-|x|))`.
#[inline(always)]
#[must_use]
pub fn softplus(x: f32) -> f32 {
    let rest = ln_1p(super::exp(-x.abs()));
    if x > 0.0 { x + rest } else { rest }
}

/// `tanh(softplus(x))` and the difference from 1: with `e = exp(x)` it is `(e^2 + 2 e) / (e^2 + 2 e + 2)`.
#[inline(always)]
fn gate(x: f32) -> [f32; 2] {
    let small = super::exp(-x.abs());
    let square = small * small;
    // Of the numerator and of the difference, divided by e^2 above 0.
    let numerator = if x > 0.0 { small.mul_add(2.0, 1.0) } else { small.mul_add(2.0, square) };
    let rest = if x > 0.0 { 2.0 * square } else { 2.0 };
    let divisor = numerator + rest;
    [numerator / divisor, rest / divisor]
}

/// `x * tanh(softplus(x))`
#[inline(always)]
#[must_use]
pub fn mish(x: f32) -> f32 {
    let x = if x < -END { -END } else { x };
    x * gate(x)[0]
}

/// `mish'(x)`
#[inline(always)]
#[must_use]
pub fn mish_slope(x: f32) -> f32 {
    let x = if x < -END { -END } else { x };
    let x = if x > END { END } else { x };
    let [gate, rest] = gate(x);
    (x * sigmoid(x)).mul_add(rest * (1.0 + gate), gate)
}
