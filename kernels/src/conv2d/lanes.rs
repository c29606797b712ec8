//! Vectors of numbers, one kind for each SIMD level.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use super::strips::STRIP;

/// A vector of one strip or two.
///
/// # Safety
/// Of every function: the processor has the level. The pointers that a function takes are good for what it
/// says that it reads or writes.
pub(super) trait Lanes: Copy {
    /// How many strips there are in it, 1 or 2.
    const STRIPS: usize;

    /// All lanes the same.
    unsafe fn splat(value: f32) -> Self;

    /// A strip at `first` and, if there are two, one at `second`. If `WIDE`, that is where `first` ends.
    unsafe fn load<const WIDE: bool>(first: *const f32, second: *const f32) -> Self;

    /// `self * factor + sum`, rounded once.
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self;

    /// All lanes, to `STRIPS * STRIP` numbers at `to`.
    unsafe fn store(self, to: *mut f32);
}

/// The kind for processors of which nothing is known.
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
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
        let mut result = sum;
        for lane in 0..2 * STRIP {
            result.0[lane] = self.0[lane].mul_add(factor.0[lane], sum.0[lane]);
        }
        result
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's.
        unsafe { to.cast::<[f32; 2 * STRIP]>().write(self.0) }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Lanes;
    use std::arch::x86_64::{
        __m256, __m512, _mm256_castps_pd, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_storeu_ps,
        _mm512_castpd_ps, _mm512_castps_pd, _mm512_castps256_ps512, _mm512_fmadd_ps, _mm512_insertf64x4,
        _mm512_loadu_ps, _mm512_set1_ps, _mm512_storeu_ps,
    };

    /// The kind for AVX2 and FMA.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx2(__m256);

    impl Lanes for Avx2 {
        const STRIPS: usize = 1;

        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            // SAFETY: the caller's: the processor has AVX2.
            Self(unsafe { _mm256_set1_ps(value) })
        }

        #[inline(always)]
        unsafe fn load<const WIDE: bool>(first: *const f32, _: *const f32) -> Self {
            // SAFETY: the caller's: the processor has AVX2, and the strip can be read.
            Self(unsafe { _mm256_loadu_ps(first) })
        }

        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
            // SAFETY: the caller's: the processor has FMA.
            Self(unsafe { _mm256_fmadd_ps(self.0, factor.0, sum.0) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the caller's: the processor has AVX2, and the strip can be written.
            unsafe { _mm256_storeu_ps(to, self.0) }
        }
    }

    /// The kind for AVX-512.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Avx512(__m512);

    impl Lanes for Avx512 {
        const STRIPS: usize = 2;

        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            // SAFETY: the caller's: the processor has AVX-512.
            Self(unsafe { _mm512_set1_ps(value) })
        }

        #[inline(always)]
        unsafe fn load<const WIDE: bool>(first: *const f32, second: *const f32) -> Self {
            // SAFETY: the caller's: the processor has AVX-512, and the strips can be read.
            unsafe {
                if WIDE {
                    return Self(_mm512_loadu_ps(first));
                }
                let low = _mm512_castps_pd(_mm512_castps256_ps512(_mm256_loadu_ps(first)));
                let high = _mm256_castps_pd(_mm256_loadu_ps(second));
                Self(_mm512_castpd_ps(_mm512_insertf64x4::<1>(low, high)))
            }
        }

        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
            // SAFETY: the caller's: the processor has AVX-512.
            Self(unsafe { _mm512_fmadd_ps(self.0, factor.0, sum.0) })
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the caller's: the processor has AVX-512, and the strips can be written.
            unsafe { _mm512_storeu_ps(to, self.0) }
        }
    }
}
