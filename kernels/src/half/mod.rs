//! 16-bit floating-point formats: packing, unpacking and rounding. All arithmetic is f32; only storage is 16 bits.
//!
//! [`Format::Bf16`] is the upper half of an f32: its range, and 8 bits of precision. [`Format::F16`] is IEEE 754's
//! binary16: 11 bits of precision, from 2^-24 to 65504. Rounding is to nearest, ties to even;
//! values that are too large become infinite, and values too small for [`Format::F16`] become subnormal or 0. A NaN
//! stays a NaN, made quiet, with the upper bits of its payload. Results are bit-identical to the hardware instructions
//! (`vcvtps2ph`, `vcvtph2ps`) and the same at every SIMD level.
//!
//! ```
//! use trainspec_kernels::half::{self, Format};
//!
//! let mut values = [1.0, 1.0 + 1.0 / 1024.0, 1e5, 1e-9];
//! let mut kept = [0; 4];
//! half::pack(Format::F16, &values, &mut kept);
//! assert_eq!(kept, [0x3C00, 0x3C01, 0x7C00, 0]);
//! half::unpack(Format::F16, &kept, &mut values);
//! assert_eq!(values, [1.0, 1.0 + 1.0 / 1024.0, f32::INFINITY, 0.0]);
//!
//! let mut values = [1.0 + 1.0 / 1024.0, 1e5];
//! half::round(Format::Bf16, &mut values);
//! assert_eq!(values, [1.0, 99_840.0]);
//! ```

mod bits;

#[cfg(test)]
mod tests;

use crate::{simd, threads};

/// Elements per block: about 20 microseconds of work.
const BLOCK: usize = 64 << 10;

/// A 16-bit floating-point format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// 8 bits of exponent and 8 of precision: the upper half of an f32.
    Bf16,
    /// 5 bits of exponent and 11 of precision: IEEE 754's binary16.
    F16,
}

impl Format {
    /// The distance from 1 to the next larger number.
    #[must_use]
    pub const fn epsilon(self) -> f32 {
        match self {
            Self::Bf16 => 1.0 / 128.0,
            Self::F16 => 1.0 / 1024.0,
        }
    }
}

/// Writes each value of `from`, rounded, to `into`.
///
/// # Panics
/// If the lengths differ.
pub fn pack(format: Format, from: &[f32], into: &mut [u16]) {
    assert_eq!(from.len(), into.len(), "`into` is as long as the values");
    threads::chunks(into, BLOCK, |number, into| {
        let from = &from[number * BLOCK..][..into.len()];
        match format {
            Format::Bf16 => pack_bf16(from, into),
            Format::F16 => pack_f16(from, into),
        }
    });
}

/// Like [`pack`], and also rounds `values`.
///
/// # Panics
/// If the lengths differ.
pub fn pack_and_round(format: Format, values: &mut [f32], into: &mut [u16]) {
    assert_eq!(values.len(), into.len(), "`into` is as long as the values");
    threads::chunks2((values, BLOCK), (into, BLOCK), |_, values, into| match format {
        Format::Bf16 => pack_and_round_bf16(values, into),
        Format::F16 => pack_and_round_f16(values, into),
    });
}

/// Writes each value of `from` to `into`, exactly.
///
/// # Panics
/// If the lengths differ.
pub fn unpack(format: Format, from: &[u16], into: &mut [f32]) {
    assert_eq!(from.len(), into.len(), "`into` is as long as `from`");
    threads::chunks(into, BLOCK, |number, into| {
        let from = &from[number * BLOCK..][..into.len()];
        match format {
            Format::Bf16 => unpack_bf16(from, into),
            Format::F16 => unpack_f16(from, into),
        }
    });
}

/// Writes each value of `from`, rounded, to `into`.
///
/// # Panics
/// If the lengths differ.
pub fn rounded(format: Format, from: &[f32], into: &mut [f32]) {
    assert_eq!(from.len(), into.len(), "`into` is as long as `from`");
    threads::chunks(into, BLOCK, |number, into| {
        let from = &from[number * BLOCK..][..into.len()];
        match format {
            Format::Bf16 => rounded_bf16(from, into),
            Format::F16 => rounded_f16(from, into),
        }
    });
}

/// Rounds each value.
pub fn round(format: Format, values: &mut [f32]) {
    threads::chunks(values, BLOCK, |_, values| match format {
        Format::Bf16 => round_bf16(values),
        Format::F16 => round_f16(values),
    });
}

/// The loops of one format.
macro_rules! loops {
    (
        $narrow:path, $widen:path:
        $pack:ident, $pack_and_round:ident, $unpack:ident, $rounded:ident, $round:ident
    ) => {
        simd! {
            fn $pack(from: &[f32], into: &mut [u16]) {
                for (into, from) in into.iter_mut().zip(from) {
                    *into = $narrow(from.to_bits());
                }
            }
        }

        simd! {
            fn $pack_and_round(values: &mut [f32], into: &mut [u16]) {
                for (into, value) in into.iter_mut().zip(values) {
                    let bits = $narrow(value.to_bits());
                    *into = bits;
                    *value = f32::from_bits($widen(bits));
                }
            }
        }

        simd! {
            fn $unpack(from: &[u16], into: &mut [f32]) {
                for (into, from) in into.iter_mut().zip(from) {
                    *into = f32::from_bits($widen(*from));
                }
            }
        }

        simd! {
            fn $rounded(from: &[f32], into: &mut [f32]) {
                for (into, from) in into.iter_mut().zip(from) {
                    *into = f32::from_bits($widen($narrow(from.to_bits())));
                }
            }
        }

        simd! {
            fn $round(values: &mut [f32]) {
                for value in values {
                    *value = f32::from_bits($widen($narrow(value.to_bits())));
                }
            }
        }
    };
}

loops!(bits::to_bf16, bits::from_bf16: pack_bf16, pack_and_round_bf16, unpack_bf16, rounded_bf16, round_bf16);
loops!(bits::to_f16, bits::from_f16: pack_f16, pack_and_round_f16, unpack_f16, rounded_f16, round_f16);
