//! Sums over places and images of products of gradients and inputs: tiles of (rows x taps).
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]

use super::lanes::{Lanes, Plain};
use super::strips::{STRIP, Strips};
use crate::simd::{self, Level};

const LANES: usize = 2 * STRIP;

/// What is the same for all tiles.
#[derive(Clone, Copy)]
pub(super) struct Correlation<'a> {
    /// Where the places are.
    pub(super) strips: Strips<'a>,
    /// For each tap, how far its places are from those of the results.
    pub(super) offsets: &'a [u32],
    /// The rows of gradients: the channels of the result.
    pub(super) rows: usize,
    /// How many images there are, and how far from each other in the source and in the gradients.
    pub(super) images: usize,
    pub(super) image: usize,
    pub(super) d_image: usize,
}

/// The sum of the lanes: halves upon halves.
#[inline(always)]
pub(super) fn fold(lanes: [f32; LANES]) -> f32 {
    let [a, b, c, d] = [0, 1, 2, 3].map(|lane| lanes[lane] + lanes[lane + 8]);
    let [e, f, g, h] = [4, 5, 6, 7].map(|lane| lanes[lane] + lanes[lane + 8]);
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

impl Correlation<'_> {
    /// `sums[row][tap] = sum over images and places of d[row][place] * source[place + offset[tap]]`; rows of `d`
    /// are vectors one after the other.
    pub(super) fn run(&self, source: &[f32], d: &[f32], sums: &mut [f32]) {
        let farthest = self.offsets.iter().max().map_or(0, |&offset| offset as usize);
        let last = self.images.checked_sub(1).expect("there are images");
        assert!(last * self.image + farthest + self.strips.reach <= source.len(), "the source has every tap");
        let row = self.strips.vectors() * LANES;
        assert!(last * self.d_image + self.rows * row <= d.len(), "a row of gradients for each");
        assert_eq!(sums.len(), self.rows * self.offsets.len(), "a sum for each row and tap");
        // SAFETY: `level` gives a level only where the processor was seen to have its features; the rest is
        // asserted above.
        unsafe {
            match simd::level() {
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 if self.strips.wide => avx512::<true>(self, source, d, sums),
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => avx512::<false>(self, source, d, sums),
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => avx2(self, source, d, sums),
                _ => correlate::<Plain, false, 2, 3>(self, source, d, sums),
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn avx512<const WIDE: bool>(job: &Correlation<'_>, source: &[f32], d: &[f32], sums: &mut [f32]) {
    // SAFETY: the caller's.
    unsafe { correlate::<super::lanes::Avx512, WIDE, 4, 6>(job, source, d, sums) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(job: &Correlation<'_>, source: &[f32], d: &[f32], sums: &mut [f32]) {
    // SAFETY: the caller's.
    unsafe { correlate::<super::lanes::Avx2, false, 2, 6>(job, source, d, sums) }
}

/// # Safety
/// The processor has the level of `V`, and what [`Correlation::run`] asserts holds.
#[inline(always)]
unsafe fn correlate<V: Lanes, const WIDE: bool, const M: usize, const N: usize>(
    job: &Correlation<'_>,
    source: &[f32],
    d: &[f32],
    sums: &mut [f32],
) {
    let mut row = 0;
    // SAFETY: the caller's.
    unsafe {
        while row + M <= job.rows {
            band::<V, WIDE, M, N>(job, source, d, row, sums);
            row += M;
        }
        while row < job.rows {
            band::<V, WIDE, 1, N>(job, source, d, row, sums);
            row += 1;
        }
    }
}

/// All taps of `M` rows.
///
/// # Safety
/// As [`correlate`].
#[inline(always)]
unsafe fn band<V: Lanes, const WIDE: bool, const M: usize, const N: usize>(
    job: &Correlation<'_>,
    source: &[f32],
    d: &[f32],
    row: usize,
    sums: &mut [f32],
) {
    let (mut tap, taps) = (0, job.offsets.len());
    // SAFETY: the caller's.
    unsafe {
        while tap + N <= taps {
            tile::<V, WIDE, M, N>(job, source, d, (row, tap), sums);
            tap += N;
        }
        while tap + 3 <= taps {
            tile::<V, WIDE, M, 3>(job, source, d, (row, tap), sums);
            tap += 3;
        }
        while tap < taps {
            tile::<V, WIDE, M, 1>(job, source, d, (row, tap), sums);
            tap += 1;
        }
    }
}

/// `M` rows and `N` taps.
///
/// # Safety
/// As [`correlate`].
#[inline(always)]
unsafe fn tile<V: Lanes, const WIDE: bool, const M: usize, const N: usize>(
    job: &Correlation<'_>,
    source: &[f32],
    d: &[f32],
    (row, tap): (usize, usize),
    results: &mut [f32],
) {
    let vectors = job.strips.vectors();
    let mut offsets = [0; N];
    for (offset, &tap) in offsets.iter_mut().zip(&job.offsets[tap..]) {
        *offset = tap as usize;
    }
    let mut found = [[[0.0_f32; LANES]; N]; M];
    // SAFETY: as asserted by `Correlation::run`.
    unsafe {
        // A vector of one strip goes over the places twice.
        for pass in 0..2 / V::STRIPS {
            let mut sums = [[V::splat(0.0); N]; M];
            for image in 0..job.images {
                let source = source.as_ptr().add(image * job.image);
                let mut places = [source; N];
                for n in 0..N {
                    places[n] = source.add(offsets[n]);
                }
                let mut d = d.as_ptr().add(image * job.d_image + row * vectors * LANES + pass * STRIP);
                for vector in 0..vectors {
                    let bases = job.strips.bases(vector, pass);
                    let mut rows = [V::splat(0.0); M];
                    for m in 0..M {
                        let at = d.add(m * vectors * LANES);
                        rows[m] = V::load::<true>(at, at.add(STRIP));
                    }
                    d = d.add(LANES);
                    for n in 0..N {
                        let value = V::load::<WIDE>(places[n].add(bases[0]), places[n].add(bases[1]));
                        for m in 0..M {
                            sums[m][n] = rows[m].mul_add(value, sums[m][n]);
                        }
                    }
                }
            }
            for m in 0..M {
                for n in 0..N {
                    sums[m][n].store(found[m][n].as_mut_ptr().add(pass * STRIP));
                }
            }
        }
    }
    for m in 0..M {
        for n in 0..N {
            results[(row + m) * job.offsets.len() + tap + n] = fold(found[m][n]);
        }
    }
}
