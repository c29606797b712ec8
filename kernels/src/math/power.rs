//! Powers of numbers from 0 to 1.

use super::{exp, ln};

/// `x^exponent` for an `x` from 0 to 1 and an `exponent` of 0 or more; 1 if that is 0.
///
/// As `exp(exponent ln x)`: a power of size `exp(-s)` is off by `3 s + 3` of its roundings at most, so the error is never above 6 roundings
/// of 1.
#[inline(always)]
pub(crate) fn power(x: f32, exponent: f32) -> f32 {
    let power = exp(exponent * ln(x));
    if exponent == 0.0 { 1.0 } else { power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_is_within_documented_bound() {
        for exponent in [0.3_f32, 1.0, 2.0, 5.0, 100.0] {
            for bits in (f32::MIN_POSITIVE.to_bits()..=1.0_f32.to_bits()).step_by(99_991) {
                let x = f32::from_bits(bits);
                let exact = f64::from(x).powf(f64::from(exponent));
                if exact < f64::from(f32::MIN_POSITIVE) {
                    continue;
                }
                // The logarithm is off by 2 roundings and the product by 1, which the exponential makes relative.
                let bound = (3.0 * -exact.ln() + 3.0) * f64::from(f32::EPSILON) / 2.0;
                let error = (f64::from(power(x, exponent)) / exact - 1.0).abs();
                assert!(error <= bound, "{x}^{exponent}: {error:e}, {bound:e}");
            }
        }
    }

    #[test]
    fn range_limits_are_exact() {
        for exponent in [0.5, 2.0, 100.0] {
            assert_eq!(
                [power(0.0, exponent), power(1.0, exponent)].map(f32::to_bits),
                [0.0_f32, 1.0].map(f32::to_bits)
            );
            assert!(power(f32::NAN, exponent).is_nan());
        }
        assert_eq!([power(0.0, 0.0), power(0.5, 0.0)].map(f32::to_bits), [1.0_f32; 2].map(f32::to_bits));
    }
}
