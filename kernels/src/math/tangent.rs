//! The hyperbolic tangent.

use super::exponential::Reduced;
use super::size;

/// From here on, the result rounds to 1.
const END: f32 = 10.0;

/// `tanh(x)`, by `-m / (2 + m)` with `m = exp(-2 |x|) - 1`, which is accurate near 0.
#[inline(always)]
#[must_use]
pub fn tanh(x: f32) -> f32 {
    let reduced = Reduced::new(-2.0 * size(x, END));
    let power = reduced.power();
    let m = power.mul_add(reduced.exp_m1(), power - 1.0);
    (-m / (2.0 + m)).copysign(x)
}

/// `tanh'(x) = 4 e / (1 + e)^2` with `e = exp(-2 |x|)`
#[inline(always)]
#[must_use]
pub fn tanh_slope(x: f32) -> f32 {
    let reduced = Reduced::new(-2.0 * size(x, 54.0));
    let [one, two] = reduced.powers();
    let small = reduced.exp() * one;
    let sum = small.mul_add(two, 1.0);
    4.0 * small / (sum * sum) * two
}
