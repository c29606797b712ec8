//! The exponential function without branches, so that a loop over it becomes SIMD.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

/// `exp(x)` for `x` up to 88; 0 below -87.3, NaN for NaN.
///
/// With `x = n ln 2 + r`, `|r| <= ln 2 / 2`: `2^n` from its bits times the Taylor polynomial of `exp(r)` of
/// degree 7, which leaves 5e-9.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    /// Adding it leaves a whole number in the low bits.
    const ROUND: f32 = 12_582_912.0;
    /// `ln 2` in two parts; the first has so few bits that its products with `n` are exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN_2[1], n.mul_add(-LN_2[0], x));
    let mut sum = 1.0 / 5040.0;
    for factor in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = r.mul_add(sum, factor);
    }
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    if x < -87.3 { 0.0 } else { sum * power }
}
