//! The functions of gates, without branches, so that a loop over them becomes SIMD.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use crate::attention::exp::exp;

/// `1 / (1 + exp(-x))`
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    let small = exp(-x.abs());
    (if x < 0.0 { small } else { 1.0 }) / (1.0 + small)
}

/// `tanh(x)`
///
/// Near 0 by the polynomial of Cephes (Moshier), where `(1 - e) / (1 + e)` with `e = exp(-2 |x|)`, which serves
/// elsewhere, would lose digits.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let size = x.abs();
    let small = exp(-2.0 * size);
    let far = ((1.0 - small) / (1.0 + small)).copysign(x);
    let square = x * x;
    let mut sum = -5.704_988_7e-3_f32;
    for factor in [2.063_909e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328e-1] {
        sum = square.mul_add(sum, factor);
    }
    let near = (x * square).mul_add(sum, x);
    if size < 0.625 { near } else { far }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both within 4 units of 2^-24 of the value (the exponential, a sum, a difference and a quotient).
    #[test]
    fn agree_with_f64() {
        for n in -40_000..=40_000_i32 {
            let x = n as f32 / 2000.0;
            let exact = f64::from(x);
            for (found, expected) in [(sigmoid(x), 1.0 / (1.0 + (-exact).exp())), (tanh(x), exact.tanh())] {
                let tolerance = 4.0 * expected.abs() * f64::from(f32::EPSILON) / 2.0;
                assert!((f64::from(found) - expected).abs() <= tolerance, "{x}: {found}, not {expected}");
            }
        }
    }

    #[test]
    fn ends_and_nan() {
        for (found, expected) in [
            (sigmoid(f32::INFINITY), 1.0_f32),
            (sigmoid(f32::NEG_INFINITY), 0.0),
            (tanh(f32::INFINITY), 1.0),
            (tanh(f32::NEG_INFINITY), -1.0),
        ] {
            assert_eq!(found.to_bits(), expected.to_bits());
        }
        assert!(sigmoid(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
    }
}
