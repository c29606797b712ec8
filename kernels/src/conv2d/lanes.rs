//! SIMD vectors, one type per SIMD level.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use super::tiles::STRIP;

/// A vector of one strip or two.
///
/// # Safety
/// Of every function: the processor has the level. The pointers passed to a function are valid for the reads and
/// writes that it describes.
pub(super) trait Lanes: Copy {
    /// The number of strips, 1 or 2.
    const STRIPS: usize;

    /// All lanes the same.
    unsafe fn splat(value: f32) -> Self;

    /// A strip at `first` and, if there are two, one at `second`. If `WIDE`, that is where `first` ends.
    unsafe fn load<const WIDE: bool>(first: *const f32, second: *const f32) -> Self;

    /// As `load`, but the first `counts[0]` lanes of the first strip and the first `counts[1]` of the second, and
    /// 0 for others, which are not read. If `WIDE`, the second is empty if the first is not full.
    unsafe fn load_part<const WIDE: bool>(strips: [*const f32; 2], counts: [usize; 2]) -> Self;

    /// `self * factor + sum`, rounded once.
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self;

    /// `self + other`.
    unsafe fn add(self, other: Self) -> Self;

    /// `self - other`.
    unsafe fn sub(self, other: Self) -> Self;

    /// The lanes with even indices, and those with odd ones, of `self` and then `other`.
    unsafe fn part(self, other: Self) -> [Self; 2];

    /// The interleaved lanes of `self` and `other`: two consecutive vectors.
    unsafe fn zip(self, other: Self) -> [Self; 2];

    /// All lanes, to `STRIPS * STRIP` elements at `to`.
    unsafe fn store(self, to: *mut f32);

    /// The first `counts[0]` elements of the first strip to `to[0]`, and of the second, if there are two, to
    /// `to[1]`, with `ADD` added to the destination. If `WIDE`, strips are adjacent at the destination, and the second is
    /// empty if the first is not full.
    unsafe fn put<const WIDE: bool, const ADD: bool>(self, to: [*mut f32; 2], counts: [usize; 2]);
}

/// The portable vector type.
#[derive(Clone, Copy)]
pub(super) struct Plain([f32; 2 * STRIP]);

impl Lanes for Plain {
    const STRIPS: usize = 2;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; 2 * STRIP])
    }

    #[inline(always)]
    unsafe fn load<const WIDE: bool>(first: *const f32, second: *const f32) -> Self {
        // SAFETY: the caller's.
        let [first, second] =
            unsafe { [first.cast::<[f32; STRIP]>().read(), second.cast::<[f32; STRIP]>().read()] };
        let mut lanes = [0.0; 2 * STRIP];
        lanes[..STRIP].copy_from_slice(&first);
        lanes[STRIP..].copy_from_slice(&second);
        Self(lanes)
    }

    #[inline(always)]
    unsafe fn load_part<const WIDE: bool>(strips: [*const f32; 2], counts: [usize; 2]) -> Self {
        let mut lanes = [0.0; 2 * STRIP];
        for (lanes, (strip, count)) in
            lanes.as_chunks_mut::<STRIP>().0.iter_mut().zip(strips.into_iter().zip(counts))
        {
            // SAFETY: the caller's.
            lanes[..count].copy_from_slice(unsafe { std::slice::from_raw_parts(strip, count) });
        }
        Self(lanes)
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
        let mut result = sum;
        for lane in 0..2 * STRIP {
            result.0[lane] = self.0[lane].mul_add(factor.0[lane], sum.0[lane]);
        }
        result
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        let mut result = self;
        for lane in 0..2 * STRIP {
            result.0[lane] += other.0[lane];
        }
        result
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        let mut result = self;
        for lane in 0..2 * STRIP {
            result.0[lane] -= other.0[lane];
        }
        result
    }

    #[inline(always)]
    unsafe fn part(self, other: Self) -> [Self; 2] {
        let mut parts = [Self([0.0; 2 * STRIP]); 2];
        for lane in 0..STRIP {
            for (odd, part) in parts.iter_mut().enumerate() {
                part.0[lane] = self.0[2 * lane + odd];
                part.0[STRIP + lane] = other.0[2 * lane + odd];
            }
        }
        parts
    }

    #[inline(always)]
    unsafe fn zip(self, other: Self) -> [Self; 2] {
        let mut halves = [Self([0.0; 2 * STRIP]); 2];
        for lane in 0..STRIP {
            for (half, zipped) in halves.iter_mut().enumerate() {
                zipped.0[2 * lane] = self.0[half * STRIP + lane];
                zipped.0[2 * lane + 1] = other.0[half * STRIP + lane];
            }
        }
        halves
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's.
        unsafe { to.cast::<[f32; 2 * STRIP]>().write(self.0) }
    }

    #[inline(always)]
    unsafe fn put<const WIDE: bool, const ADD: bool>(self, to: [*mut f32; 2], counts: [usize; 2]) {
        for (strip, (to, count)) in to.into_iter().zip(counts).enumerate() {
            // SAFETY: the caller's.
            let to = unsafe { std::slice::from_raw_parts_mut(to, count) };
            for (to, lane) in to.iter_mut().zip(&self.0[strip * STRIP..]) {
                *to = if ADD { *to + lane } else { *lane };
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86;
#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};
