//! The normal distribution.

use super::exponential::Reduced;
use super::size;

/// `1 / sqrt(2 pi)`
pub(super) const DENSITY: f32 = 0.398_942_3;

/// Beyond it, the tail is 0.
pub(super) const END: f32 = 15.0;

/// The tail of the normal distribution, `Phi(-t) = exp(-t^2 / 2) over / under`.
pub(super) struct Tail {
    /// `-t^2 / 2`, with the rounding error of the square.
    pub(super) exponent: Reduced,
    pub(super) over: f32,
    pub(super) under: f32,
}

impl Tail {
    /// Of the quotient, from the highest power on; fitted to `0 <= t <= 14.5`, where it is off by at most 9.6e-9 of
    /// itself. All terms are positive, so that no digits are lost.
    const OVER: [f32; 5] = [0.004_116_112_4, 0.040_632_02, 0.183_231_32, 0.438_289_4, 0.5];
    const UNDER: [f32; 6] = [0.010_317_444, 0.101_855_82, 0.469_460_52, 1.202_486_8, 1.674_463_7, 1.0];

    /// Of `t` from 0 to [`END`].
    #[inline(always)]
    pub(super) fn new(t: f32) -> Self {
        let square = t * t;
        let rest = t.mul_add(t, -square);
        let [over, others @ ..] = Self::OVER;
        let over = others.into_iter().fold(over, |sum, factor| t.mul_add(sum, factor));
        let [under, others @ ..] = Self::UNDER;
        let under = others.into_iter().fold(under, |sum, factor| t.mul_add(sum, factor));
        Self { exponent: Reduced::with_rest(-0.5 * square, -0.5 * rest), over, under }
    }

    /// `factor * exp(-t^2 / 2) / under`
    #[inline(always)]
    pub(super) fn times(&self, factor: f32) -> f32 {
        let [one, two] = self.exponent.powers();
        self.exponent.exp() * one * (factor / self.under) * two
    }
}

/// The normal distribution function, `Phi(x) = (1 + erf(x / sqrt(2))) / 2`.
#[inline(always)]
#[must_use]
pub fn phi(x: f32) -> f32 {
    let tail = Tail::new(size(x, END));
    let tail = tail.times(tail.over);
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// The error function, `erf(x) = 2 Phi(sqrt(2) x) - 1`.
#[inline(always)]
#[must_use]
pub fn erf(x: f32) -> f32 {
    /// Of `erf(x) / x - 1` in `x^2`, from the highest power on; for `|x| < 0.92` off by at most 1.6e-8.
    const NEAR: [f32; 6] =
        [-5.994_451e-4, 0.004_994_031_5, -0.026_767_347, 0.112_818_435, -0.376_124_98, 0.128_379_15];
    let t = size(x, 10.0);
    let square = t * t;
    let [near, others @ ..] = NEAR;
    let near = t.mul_add(others.into_iter().fold(near, |sum, factor| square.mul_add(sum, factor)), t);
    let tail = Tail::new(t * std::f32::consts::SQRT_2);
    let far = (-2.0_f32).mul_add(tail.times(tail.over), 1.0);
    (if t < 0.92 { near } else { far }).copysign(x)
}
