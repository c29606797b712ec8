//! AVX2 and AVX-512 vectors.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use std::arch::x86_64::{
    __m256, __m256i, __m512, _mm256_add_ps, _mm256_castpd_ps, _mm256_castps_pd, _mm256_cmpgt_epi32,
    _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_mask_storeu_ps, _mm256_maskload_ps, _mm256_maskstore_ps,
    _mm256_maskz_loadu_ps, _mm256_permute2f128_ps, _mm256_permute4x64_pd, _mm256_set1_epi32, _mm256_set1_ps,
    _mm256_setr_epi32, _mm256_shuffle_ps, _mm256_storeu_ps, _mm256_sub_ps, _mm256_unpackhi_ps,
    _mm256_unpacklo_ps, _mm512_add_ps, _mm512_castpd_ps, _mm512_castps_pd, _mm512_castps256_ps512,
    _mm512_castps512_ps256, _mm512_extractf64x4_pd, _mm512_fmadd_ps, _mm512_insertf64x4, _mm512_loadu_ps,
    _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_permutex2var_ps, _mm512_set1_ps, _mm512_setr_epi32,
    _mm512_storeu_ps, _mm512_sub_ps,
};

use super::Lanes;
use crate::conv2d::tiles::STRIP;

/// The vector type for AVX2 and FMA.
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
    unsafe fn load_part<const WIDE: bool>(strips: [*const f32; 2], counts: [usize; 2]) -> Self {
        // SAFETY: the caller's: the processor has AVX2, and as many elements as the mask has can be read.
        unsafe {
            if counts[0] == STRIP {
                Self(_mm256_loadu_ps(strips[0]))
            } else {
                Self(_mm256_maskload_ps(strips[0], first(counts[0])))
            }
        }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
        // SAFETY: the caller's: the processor has FMA.
        Self(unsafe { _mm256_fmadd_ps(self.0, factor.0, sum.0) })
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: the caller's: the processor has AVX2.
        Self(unsafe { _mm256_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: the caller's: the processor has AVX2.
        Self(unsafe { _mm256_sub_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn part(self, other: Self) -> [Self; 2] {
        // SAFETY: the caller's: the processor has AVX2.
        unsafe {
            // Alternating pairs of lanes of both, which are then reordered.
            let even = _mm256_castps_pd(_mm256_shuffle_ps::<0b10_00_10_00>(self.0, other.0));
            let odd = _mm256_castps_pd(_mm256_shuffle_ps::<0b11_01_11_01>(self.0, other.0));
            [
                Self(_mm256_castpd_ps(_mm256_permute4x64_pd::<0b11_01_10_00>(even))),
                Self(_mm256_castpd_ps(_mm256_permute4x64_pd::<0b11_01_10_00>(odd))),
            ]
        }
    }

    #[inline(always)]
    unsafe fn zip(self, other: Self) -> [Self; 2] {
        // SAFETY: the caller's: the processor has AVX2.
        unsafe {
            let (low, high) = (_mm256_unpacklo_ps(self.0, other.0), _mm256_unpackhi_ps(self.0, other.0));
            [Self(_mm256_permute2f128_ps::<0x20>(low, high)), Self(_mm256_permute2f128_ps::<0x31>(low, high))]
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's: the processor has AVX2, and the strip can be written.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn put<const WIDE: bool, const ADD: bool>(self, to: [*mut f32; 2], counts: [usize; 2]) {
        let (to, count) = (to[0], counts[0]);
        // SAFETY: the caller's: the processor has AVX2, and as many elements as the mask has can be written.
        unsafe {
            let mut value = self.0;
            if count == STRIP {
                if ADD {
                    value = _mm256_add_ps(_mm256_loadu_ps(to), value);
                }
                _mm256_storeu_ps(to, value);
            } else {
                let mask = first(count);
                if ADD {
                    value = _mm256_add_ps(_mm256_maskload_ps(to, mask), value);
                }
                _mm256_maskstore_ps(to, mask, value);
            }
        }
    }
}

/// The mask of the first `count` lanes.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn first(count: usize) -> __m256i {
    // SAFETY: the caller's.
    unsafe {
        _mm256_cmpgt_epi32(
            _mm256_set1_epi32((count as u32).cast_signed()),
            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
        )
    }
}

/// Two strips as one vector.
///
/// # Safety
/// The processor has AVX-512.
#[inline(always)]
unsafe fn join(low: __m256, high: __m256) -> __m512 {
    // SAFETY: the caller's.
    unsafe {
        let low = _mm512_castps_pd(_mm512_castps256_ps512(low));
        _mm512_castpd_ps(_mm512_insertf64x4::<1>(low, _mm256_castps_pd(high)))
    }
}

/// The vector type for AVX-512.
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
            Self(join(_mm256_loadu_ps(first), _mm256_loadu_ps(second)))
        }
    }

    #[inline(always)]
    unsafe fn load_part<const WIDE: bool>(strips: [*const f32; 2], counts: [usize; 2]) -> Self {
        let masks = counts.map(|count| (1_u32 << count) - 1);
        // SAFETY: the caller's: the processor has AVX-512, and as many elements as masks have can be read.
        unsafe {
            if WIDE {
                let mask = (masks[0] | masks[1] << STRIP) as u16;
                return Self(_mm512_maskz_loadu_ps(mask, strips[0]));
            }
            let low = _mm256_maskz_loadu_ps(masks[0] as u8, strips[0]);
            let high = _mm256_maskz_loadu_ps(masks[1] as u8, strips[1]);
            Self(join(low, high))
        }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
        // SAFETY: the caller's: the processor has AVX-512.
        Self(unsafe { _mm512_fmadd_ps(self.0, factor.0, sum.0) })
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: the caller's: the processor has AVX-512.
        Self(unsafe { _mm512_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: the caller's: the processor has AVX-512.
        Self(unsafe { _mm512_sub_ps(self.0, other.0) })
    }

    #[inline(always)]
    unsafe fn part(self, other: Self) -> [Self; 2] {
        // SAFETY: the caller's: the processor has AVX-512.
        unsafe {
            let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
            [
                Self(_mm512_permutex2var_ps(self.0, even, other.0)),
                Self(_mm512_permutex2var_ps(self.0, odd, other.0)),
            ]
        }
    }

    #[inline(always)]
    unsafe fn zip(self, other: Self) -> [Self; 2] {
        // SAFETY: the caller's: the processor has AVX-512.
        unsafe {
            let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
            [
                Self(_mm512_permutex2var_ps(self.0, low, other.0)),
                Self(_mm512_permutex2var_ps(self.0, high, other.0)),
            ]
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's: the processor has AVX-512, and the strips can be written.
        unsafe { _mm512_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn put<const WIDE: bool, const ADD: bool>(self, to: [*mut f32; 2], counts: [usize; 2]) {
        // SAFETY: the caller's: the processor has AVX-512, and as many elements as masks have can be written.
        unsafe {
            if WIDE {
                let (to, count, mut value) = (to[0], counts[0] + counts[1], self.0);
                let mask = ((1_u32 << count) - 1) as u16;
                if ADD {
                    value = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, to), value);
                }
                _mm512_mask_storeu_ps(to, mask, value);
                return;
            }
            let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(self.0)));
            let strips = [_mm512_castps512_ps256(self.0), high];
            for strip in 0..2 {
                let (to, count, mut value) = (to[strip], counts[strip], strips[strip]);
                let mask = ((1_u32 << count) - 1) as u8;
                if ADD {
                    value = _mm256_add_ps(_mm256_maskz_loadu_ps(mask, to), value);
                }
                _mm256_mask_storeu_ps(to, mask, value);
            }
        }
    }
}
