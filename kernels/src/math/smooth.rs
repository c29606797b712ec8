//! The exponential less 1, softplus, and Mish.

use super::exponential::{LEAST, Reduced};
use super::{ln_1p, size};

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

/// `tanh(softplus(x))`, which is `(e^2 + 2 e) / (e^2 + 2 e + 2)` with `e = exp(x)`.
struct Gate {
    /// The gate divided by `two`, a power of 2: a product with it is rounded once, even if it is subnormal.
    part: f32,
    two: f32,
    /// The difference of the gate from 1.
    rest: f32,
    /// `sigmoid(x)` divided by `two`.
    sigmoid: f32,
}

impl Gate {
    #[inline(always)]
    fn new(x: f32) -> Self {
        let reduced = Reduced::new(-size(x, END));
        let [one, two] = reduced.powers();
        let small = reduced.exp() * one;
        let power = small * two;
        let square = power * power;
        // Above 0, numerator and difference are divided by e^2.
        let is_above = x > 0.0;
        let numerator = power.mul_add(2.0, if is_above { 1.0 } else { square });
        let rest = if is_above { 2.0 * square } else { 2.0 };
        let divisor = numerator + rest;
        Self {
            part: (if is_above { numerator } else { small * (power + 2.0) }) / divisor,
            two: if is_above { 1.0 } else { two },
            rest: rest / divisor,
            sigmoid: (if is_above { 1.0 } else { small }) / (1.0 + power),
        }
    }
}

/// `x * tanh(softplus(x))`
#[inline(always)]
#[must_use]
pub fn mish(x: f32) -> f32 {
    let x = if x < -END { -END } else { x };
    let Gate { part, two, .. } = Gate::new(x);
    x * part * two
}

/// `mish'(x)`
#[inline(always)]
#[must_use]
pub fn mish_slope(x: f32) -> f32 {
    let x = if x < -END { -END } else { x };
    let x = if x > END { END } else { x };
    let Gate { part, two, rest, sigmoid } = Gate::new(x);
    (x * sigmoid).mul_add(rest * part.mul_add(two, 1.0), part) * two
}
