//! Branch-free conversions of single values, so that loops over them vectorize.

#![allow(
    clippy::inline_always,
    reason = "what a loop that is compiled for several levels calls is inlined into each"
)]

/// The bits of an f32 without its sign.
const MAGNITUDE: u32 = 0x7FFF_FFFF;
/// The bits of an infinity; what is above is a NaN.
const INFINITE: u32 = 0x7F80_0000;

/// An f32 as bf16: half of the dropped part is added, minus one unless the last kept bit is odd.
#[inline(always)]
pub(super) fn to_bf16(bits: u32) -> u16 {
    let odd = (bits >> 16) & 1;
    let rounded = bits.wrapping_add(0x7FFF + odd) >> 16;
    let nan = bits >> 16 | 0x40;
    (if bits & MAGNITUDE > INFINITE { nan } else { rounded }) as u16
}

/// A bf16 as f32.
#[inline(always)]
pub(super) fn from_bf16(bits: u16) -> u32 {
    let wide = u32::from(bits) << 16;
    if wide & MAGNITUDE > INFINITE { wide | 0x0040_0000 } else { wide }
}

/// An f32 as f16.
#[inline(always)]
pub(super) fn to_f16(bits: u32) -> u16 {
    /// 2^16, the least power of 2 that is too large.
    const TOO_LARGE: u32 = 0x4780_0000;
    /// 2^-14, the least normal number.
    const NORMAL: u32 = 0x3880_0000;
    /// The difference of the exponents' biases, 127 and 15, at the position of an f32's exponent.
    const REBIAS: u32 = 112 << 23;
    let magnitude = bits & MAGNITUDE;
    // As for bf16, once the exponent has its other bias; rounding up may carry into the exponent, up to infinity.
    let odd = (magnitude >> 13) & 1;
    let normal = magnitude.wrapping_sub(REBIAS).wrapping_add(0xFFF + odd) >> 13;
    // Near 1/2, f32 values are 2^-24 apart, as subnormal ones of f16 are: the addition rounds.
    let subnormal = (f32::from_bits(magnitude) + 0.5).to_bits().wrapping_sub(0.5_f32.to_bits());
    let nan = 0x7E00 | (magnitude >> 13) & 0x3FF;
    let large = if magnitude > INFINITE { nan } else { 0x7C00 };
    let finite = if magnitude < NORMAL { subnormal } else { normal };
    let result = if magnitude >= TOO_LARGE { large } else { finite };
    (result | (bits >> 16) & 0x8000) as u16
}

/// An f16 as f32.
#[inline(always)]
pub(super) fn from_f16(bits: u16) -> u32 {
    /// An infinity of f16 at the position of f32's exponent.
    const INFINITE: u32 = 0x7C00 << 13;
    /// The least normal number of f16, there.
    const NORMAL: u32 = 0x0400 << 13;
    let bits = u32::from(bits);
    let magnitude = (bits & 0x7FFF) << 13;
    let normal = magnitude + (112 << 23);
    // A number of the exponent of 2^-14 with the same fraction, less 2^-14: exact.
    let least = f32::from_bits(113 << 23);
    let subnormal = (f32::from_bits(magnitude + (113 << 23)) - least).to_bits();
    let large = if magnitude > INFINITE { magnitude | 0x7FC0_0000 } else { 0x7F80_0000 };
    let finite = if magnitude < NORMAL { subnormal } else { normal };
    let result = if magnitude >= INFINITE { large } else { finite };
    result | (bits & 0x8000) << 16
}
