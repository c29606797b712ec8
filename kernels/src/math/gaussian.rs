//! The Gaussian error linear unit (Hendrycks and Gimpel, "Gaussian error linear units", 2016), and its approximation
//! by tanh from the same paper.

use super::exponential::Reduced;
use super::gated::{gated, gated_slope};
use super::normal::{DENSITY, END, Tail};
use super::{ramp, size};

/// `x * Phi(x)`, which is `max(x, 0) - |x| Phi(-|x|)`.
#[inline(always)]
#[must_use]
pub fn gelu(x: f32) -> f32 {
    let size = size(x, END);
    let tail = Tail::new(size);
    ramp(x) - tail.times(size * tail.over)
}

/// `gelu'(x) = Phi(x) + x exp(-x^2 / 2) / sqrt(2 pi)`
///
/// With `D = Phi(-|x|) - |x| exp(-x^2 / 2) / sqrt(2 pi)`: `D` below 0, else `1 - D`.
#[inline(always)]
#[must_use]
pub fn gelu_slope(x: f32) -> f32 {
    let size = size(x, END);
    let tail = Tail::new(size);
    let part = tail.times((-DENSITY * size).mul_add(tail.under, tail.over));
    if x < 0.0 { part } else { 1.0 - part }
}

/// `2 sqrt(2 / pi)`, and 0.044715 times it.
const INNER: [f32; 2] = [1.595_769_2, 0.071_354_814];

/// Beyond it, the difference from `max(x, 0)` is 0.
const TANH_END: f32 = 11.0;

/// `x / 2 * (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`
#[inline(always)]
#[must_use]
pub fn gelu_tanh(x: f32) -> f32 {
    let size = size(x, TANH_END);
    let factor = (size * size).mul_add(INNER[1], INNER[0]);
    gated(x, size, Reduced::new(-size * factor))
}

/// `gelu_tanh'(x)`
#[inline(always)]
#[must_use]
pub fn gelu_tanh_slope(x: f32) -> f32 {
    let size = size(x, TANH_END);
    let square = size * size;
    let factor = square.mul_add(INNER[1], INNER[0]);
    let slope = square.mul_add(3.0 * INNER[1], INNER[0]);
    gated_slope(x, size * slope, Reduced::new(-size * factor))
}
