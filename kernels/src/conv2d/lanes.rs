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

    /// As `load`, but the first `counts[0]` lanes of the first strip and the first `counts[1]` of the second, and
    /// 0 for others, which are not read. If `WIDE`, the second is empty if the first is not full.
    unsafe fn load_part<const WIDE: bool>(strips: [*const f32; 2], counts: [usize; 2]) -> Self;

    /// `self * factor + sum`, rounded once.
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self;

    /// All lanes, to `STRIPS * STRIP` numbers at `to`.
    unsafe fn store(self, to: *mut f32);

    /// The first `counts[0]` numbers of the first strip to `to[0]`, and of the second, if there are two, to
    /// `to[1]`, with `ADD` added to what is there. If `WIDE`, strips are neighbours where they go, and the second is
    /// empty if the first is not full.
    unsafe fn put<const WIDE: bool, const ADD: bool>(self, to: [*mut f32; 2], counts: [usize; 2]);
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
pub(super) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256, __m256i, __m512, _mm256_add_ps, _mm256_castpd_ps, _mm256_castps_pd, _mm256_cmpgt_epi32,
        _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_mask_storeu_ps, _mm256_maskload_ps, _mm256_maskstore_ps,
        _mm256_maskz_loadu_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setr_epi32, _mm256_storeu_ps,
        _mm512_add_ps, _mm512_castpd_ps, _mm512_castps_pd, _mm512_castps256_ps512, _mm512_castps512_ps256,
        _mm512_extractf64x4_pd, _mm512_fmadd_ps, _mm512_insertf64x4, _mm512_loadu_ps, _mm512_mask_storeu_ps,
        _mm512_maskz_loadu_ps, _mm512_set1_ps, _mm512_storeu_ps,
    };

    use super::Lanes;
    use crate::conv2d::strips::STRIP;

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
        unsafe fn load_part<const WIDE: bool>(strips: [*const f32; 2], counts: [usize; 2]) -> Self {
            // SAFETY: the caller's: the processor has AVX2, and as many numbers as the mask has can be read.
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
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the caller's: the processor has AVX2, and the strip can be written.
            unsafe { _mm256_storeu_ps(to, self.0) }
        }

        #[inline(always)]
        unsafe fn put<const WIDE: bool, const ADD: bool>(self, to: [*mut f32; 2], counts: [usize; 2]) {
            let (to, count) = (to[0], counts[0]);
            // SAFETY: the caller's: the processor has AVX2, and as many numbers as the mask has can be written.
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
                Self(join(_mm256_loadu_ps(first), _mm256_loadu_ps(second)))
            }
        }

        #[inline(always)]
        unsafe fn load_part<const WIDE: bool>(strips: [*const f32; 2], counts: [usize; 2]) -> Self {
            let masks = counts.map(|count| (1_u32 << count) - 1);
            // SAFETY: the caller's: the processor has AVX-512, and as many numbers as masks have can be read.
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
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: the caller's: the processor has AVX-512, and the strips can be written.
            unsafe { _mm512_storeu_ps(to, self.0) }
        }

        #[inline(always)]
        unsafe fn put<const WIDE: bool, const ADD: bool>(self, to: [*mut f32; 2], counts: [usize; 2]) {
            // SAFETY: the caller's: the processor has AVX-512, and as many numbers as masks have can be written.
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
}
