//! The natural logarithm.

/// `ln(x)`
#[inline(always)]
#[must_use]
pub fn ln(x: f32) -> f32 {
    /// Of `(ln(1 + f) - f + f^2 / 2) / f^3`, from the highest power on: the error of `ln(1 + f)` is at most 2.4e-9 of it.
    const FACTORS: [f32; 9] = [
        0.120_070_584,
        -0.128_451_82,
        0.107_542_604,
        -0.121_957_52,
        0.143_044_55,
        -0.166_795_8,
        0.199_995_98,
        -0.249_998_2,
        0.333_333_34,
    ];
    /// `ln 2` as a sum of two parts.
    const LN_2: [f32; 2] = [std::f32::consts::LN_2, -1.904_654_2e-9];
    /// 2/3.
    const LEAST: u32 = (2.0_f32 / 3.0).to_bits();

    let is_subnormal = x < f32::MIN_POSITIVE;
    let scaled = if is_subnormal { x * 8_388_608.0 } else { x };
    // x = 2^n (1 + f) with 1 + f from 2/3 to 4/3.
    let above = scaled.to_bits().wrapping_sub(LEAST);
    let n = (above.cast_signed() >> 23) as f32 - if is_subnormal { 23.0 } else { 0.0 };
    let f = f32::from_bits((above & 0x007f_ffff) + LEAST) - 1.0;

    let [first, others @ ..] = FACTORS;
    let curve = others.into_iter().fold(first, |sum, factor| f.mul_add(sum, factor));
    let bend = f * f * f.mul_add(curve, -0.5);
    let ln = n.mul_add(LN_2[0], f + n.mul_add(LN_2[1], bend));

    let ln = if x < f32::INFINITY { ln } else { x };
    let least = if x == 0.0 { f32::NEG_INFINITY } else { f32::NAN };
    if x > 0.0 { ln } else { least }
}

/// `ln(1 + x)` for `x` from 0 to 1, accurate also for small `x`: the rounding error of `1 + x` is added to the
/// logarithm, times its derivative.
#[inline(always)]
pub(crate) fn ln_1p(x: f32) -> f32 {
    let sum = 1.0 + x;
    ln(sum) + (x - (sum - 1.0)) / sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The unit is the ulp, as above.
    #[test]
    fn ln_1p_is_accurate_for_small_values() {
        let mut worst = (0.0, 0.0);
        for bits in (1..=1.0_f32.to_bits()).step_by(997) {
            let x = f32::from_bits(bits);
            let exact = f64::from(x).ln_1p();
            let unit = f64::from((exact as f32).next_up()) - f64::from(exact as f32);
            let error = (f64::from(ln_1p(x)) - exact).abs() / unit;
            if error > worst.0 {
                worst = (error, x);
            }
        }
        assert!(worst.0 <= 2.0, "{worst:?}");
        assert!(ln_1p(f32::NAN).is_nan());
    }

    #[test]
    fn error_is_within_documented_bound() {
        let mut worst = (0.0, 0.0);
        let last = f32::INFINITY.to_bits();
        // All of some that are near 1, where the logarithm crosses 0.
        let near = 0.5_f32.to_bits()..2.0_f32.to_bits();
        for bits in (1..last).step_by(3001).chain(near.step_by(13)) {
            let x = f32::from_bits(bits);
            let exact = f64::from(x).ln();
            let unit = f64::from((exact.abs() as f32).next_up()) - f64::from(exact.abs() as f32);
            let error = (f64::from(ln(x)) - exact).abs() / unit;
            if error > worst.0 {
                worst = (error, x);
            }
        }
        assert!(worst.0 <= 0.99, "{worst:?}");
    }

    #[test]
    fn range_limits_are_exact() {
        let infinity = f32::INFINITY;
        for (x, expected) in [(1.0, 0.0), (0.0, -infinity), (-0.0, -infinity), (infinity, infinity)] {
            assert_eq!(ln(x).to_bits(), f32::to_bits(expected), "{x}");
        }
        for x in [f32::NAN, -1.0, -infinity, -1e-40] {
            assert!(ln(x).is_nan(), "{x}");
        }
    }
}
