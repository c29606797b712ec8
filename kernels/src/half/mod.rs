//! 16-bit floating-point formats: packing, unpacking and rounding. All arithmetic is f32; only storage is 16 bits.
//!
//! [`Format::Bf16`] is the upper half of an f32: its range, and 8 bits of precision. [`Format::F16`] is IEEE 754's
//! binary16: 11 bits of precision, from 2^-24 to 65504. Rounding is to nearest, ties to even;
//! values that are too large become infinite, and values too small for [`Format::F16`] become subnormal or 0. A NaN
//! stays a NaN, made quiet, with the upper bits of its payload. Results are bit-identical to the hardware instructions
//! (`vcvtps2ph`, `vcvtph2ps`) and the same at every SIMD level.
//!
//! The types are those of the crate `half`. The loops are our own: `cargo bench -p trainspec-kernels --bench half` compares them with
//! those of `half`, which convert f16 with the hardware's instructions and bf16 value by value.
//!
//! ```
//! use trainspec_kernels::half::{self, Format, f16};
//!
//! let mut values = [1.0, 1.0 + 1.0 / 1024.0, 1e5, 1e-9];
//! let mut kept = [f16::ZERO; 4];
//! half::pack(&values, &mut kept);
//! assert_eq!(kept.map(f16::to_bits), [0x3C00, 0x3C01, 0x7C00, 0]);
//! half::unpack(&kept, &mut values);
//! assert_eq!(values, [1.0, 1.0 + 1.0 / 1024.0, f32::INFINITY, 0.0]);
//!
//! let mut values = [1.0 + 1.0 / 1024.0, 1e5];
//! half::round(Format::Bf16, &mut values);
//! assert_eq!(values, [1.0, 99_840.0]);
//! ```

mod bits;

#[cfg(test)]
mod tests;

use bytemuck::Pod;

pub use ::half::{bf16, f16};

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

/// A 16-bit floating-point type: [`struct@bf16`] or [`struct@f16`].
pub trait Half: Pod + Send + Sync + private::Loops {
    /// Its format.
    const FORMAT: Format;
}

impl Half for bf16 {
    const FORMAT: Format = Format::Bf16;
}

impl Half for f16 {
    const FORMAT: Format = Format::F16;
}

mod private {
    /// The loops of a type over a block.
    pub trait Loops: Sized {
        fn pack(from: &[f32], into: &mut [Self]);
        fn pack_and_round(values: &mut [f32], into: &mut [Self]);
        fn unpack(from: &[Self], into: &mut [f32]);
    }
}

/// Writes each value of `from`, rounded, to `into`.
///
/// # Panics
/// If the lengths differ.
pub fn pack<H: Half>(from: &[f32], into: &mut [H]) {
    assert_eq!(from.len(), into.len(), "`into` is as long as the values");
    threads::chunks(into, BLOCK, |number, into| H::pack(&from[number * BLOCK..][..into.len()], into));
}

/// Like [`pack`], and also rounds `values`.
///
/// # Panics
/// If the lengths differ.
pub fn pack_and_round<H: Half>(values: &mut [f32], into: &mut [H]) {
    assert_eq!(values.len(), into.len(), "`into` is as long as the values");
    threads::chunks2((values, BLOCK), (into, BLOCK), |_, values, into| H::pack_and_round(values, into));
}

/// Writes each value of `from` to `into`, exactly.
///
/// # Panics
/// If the lengths differ.
pub fn unpack<H: Half>(from: &[H], into: &mut [f32]) {
    assert_eq!(from.len(), into.len(), "`into` is as long as `from`");
    threads::chunks(into, BLOCK, |number, into| H::unpack(&from[number * BLOCK..][..into.len()], into));
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

/// The loops of one type.
macro_rules! loops {
    (
        $half:ident, $narrow:path, $widen:path:
        $pack:ident, $pack_and_round:ident, $unpack:ident, $rounded:ident, $round:ident
    ) => {
        impl private::Loops for $half {
            fn pack(from: &[f32], into: &mut [Self]) {
                $pack(from, into);
            }

            fn pack_and_round(values: &mut [f32], into: &mut [Self]) {
                $pack_and_round(values, into);
            }

            fn unpack(from: &[Self], into: &mut [f32]) {
                $unpack(from, into);
            }
        }

        simd! {
            fn $pack(from: &[f32], into: &mut [$half]) {
                for (into, from) in into.iter_mut().zip(from) {
                    *into = $half::from_bits($narrow(from.to_bits()));
                }
            }
        }

        simd! {
            fn $pack_and_round(values: &mut [f32], into: &mut [$half]) {
                for (into, value) in into.iter_mut().zip(values) {
                    let bits = $narrow(value.to_bits());
                    *into = $half::from_bits(bits);
                    *value = f32::from_bits($widen(bits));
                }
            }
        }

        simd! {
            fn $unpack(from: &[$half], into: &mut [f32]) {
                for (into, from) in into.iter_mut().zip(from) {
                    *into = f32::from_bits($widen(from.to_bits()));
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

loops!(bf16, bits::to_bf16, bits::from_bf16: pack_bf16, pack_and_round_bf16, unpack_bf16, rounded_bf16, round_bf16);
loops!(f16, bits::to_f16, bits::from_f16: pack_f16, pack_and_round_f16, unpack_f16, rounded_f16, round_f16);
