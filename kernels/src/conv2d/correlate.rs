//! Sums over positions and images of products of gradients and inputs: tiles of (rows x taps).
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
#![allow(
    clippy::needless_range_loop,
    reason = "loops of fixed length, over several arrays, that are unrolled"
)]

use super::lanes::{Lanes, Plain};
use super::tiles::{STRIP, Strips};
use crate::simd::{self, Level};
use crate::sizes::elements;

const LANES: usize = 2 * STRIP;

/// The data shared by all tiles.
#[derive(Clone, Copy)]
pub(super) struct Correlation<'a> {
    /// The layout of the positions.
    pub(super) strips: Strips<'a>,
    /// The offset of each tap from the positions of the results.
    pub(super) offsets: &'a [u32],
    /// The rows of gradients: the channels of the result.
    pub(super) rows: usize,
    /// The number of images, and their distances in the source and in the gradients.
    pub(super) images: usize,
    pub(super) image: usize,
    pub(super) d_image: usize,
    /// The distance between rows of gradients.
    pub(super) d_plane: usize,
    /// Whether a row of gradients consists of consecutive vectors, not a plane of results.
    pub(super) in_vectors: bool,
}

/// The sum of the lanes: by halves.
#[inline(always)]
pub(super) fn fold(lanes: [f32; LANES]) -> f32 {
    let [a, b, c, d] = [0, 1, 2, 3].map(|lane| lanes[lane] + lanes[lane + 8]);
    let [e, f, g, h] = [4, 5, 6, 7].map(|lane| lanes[lane] + lanes[lane + 8]);
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

impl Correlation<'_> {
    /// `sums[row][tap] = sum over images and places of d[row][place] * source[place + offset[tap]]`.
    pub(super) fn run(&self, source: &[f32], d: &[f32], sums: &mut [f32]) {
        let farthest = self.offsets.iter().max().map_or(0, |&offset| offset as usize);
        let last = self.images.checked_sub(1).expect("there are images");
        assert!(last * self.image + farthest + self.strips.reach <= source.len(), "the source has every tap");
        let row = if self.in_vectors { self.strips.vectors() * LANES } else { self.strips.plane };
        let needed = last * self.d_image + self.rows.saturating_sub(1) * self.d_plane + row;
        assert!(needed <= d.len(), "a row of gradients for each");
        assert_eq!(sums.len(), elements([self.rows, self.offsets.len()]), "a sum for each row and tap");
        // SAFETY: `level` returns a level only if the processor was detected to have its features; the rest is
        // asserted above.
        unsafe {
            match (simd::level(), self.strips.wide, self.in_vectors) {
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, true, true) => avx512::<true, true>(self, source, d, sums),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, true, false) => avx512::<true, false>(self, source, d, sums),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, false, true) => avx512::<false, true>(self, source, d, sums),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, false, false) => avx512::<false, false>(self, source, d, sums),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx2, _, true) => avx2::<true>(self, source, d, sums),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx2, _, false) => avx2::<false>(self, source, d, sums),
                (.., true) => correlate::<Plain, false, true, 2, 3>(self, source, d, sums),
                (.., false) => correlate::<Plain, false, false, 2, 3>(self, source, d, sums),
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn avx512<const WIDE: bool, const FULL: bool>(
    job: &Correlation<'_>,
    source: &[f32],
    d: &[f32],
    sums: &mut [f32],
) {
    // SAFETY: the caller's.
    unsafe { correlate::<super::lanes::Avx512, WIDE, FULL, 4, 6>(job, source, d, sums) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<const FULL: bool>(job: &Correlation<'_>, source: &[f32], d: &[f32], sums: &mut [f32]) {
    // SAFETY: the caller's.
    unsafe { correlate::<super::lanes::Avx2, false, FULL, 2, 6>(job, source, d, sums) }
}

/// # Safety
/// The processor has the level of `V`, and what [`Correlation::run`] asserts holds.
#[inline(always)]
unsafe fn correlate<V: Lanes, const WIDE: bool, const FULL: bool, const M: usize, const N: usize>(
    job: &Correlation<'_>,
    source: &[f32],
    d: &[f32],
    sums: &mut [f32],
) {
    let mut row = 0;
    // SAFETY: the caller's.
    unsafe {
        while row + M <= job.rows {
            band::<V, WIDE, FULL, M, N>(job, source, d, row, sums);
            row += M;
        }
        while row < job.rows {
            band::<V, WIDE, FULL, 1, N>(job, source, d, row, sums);
            row += 1;
        }
    }
}

/// All taps of `M` rows.
///
/// # Safety
/// As [`correlate`].
#[inline(always)]
unsafe fn band<V: Lanes, const WIDE: bool, const FULL: bool, const M: usize, const N: usize>(
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
            tile::<V, WIDE, FULL, M, N>(job, source, d, (row, tap), sums);
            tap += N;
        }
        while tap + 3 <= taps {
            tile::<V, WIDE, FULL, M, 3>(job, source, d, (row, tap), sums);
            tap += 3;
        }
        while tap < taps {
            tile::<V, WIDE, FULL, M, 1>(job, source, d, (row, tap), sums);
            tap += 1;
        }
    }
}

/// `M` rows and `N` taps.
///
/// # Safety
/// As [`correlate`].
#[inline(always)]
unsafe fn tile<V: Lanes, const WIDE: bool, const FULL: bool, const M: usize, const N: usize>(
    job: &Correlation<'_>,
    source: &[f32],
    d: &[f32],
    (row, tap): (usize, usize),
    results: &mut [f32],
) {
    let plane = job.d_plane;
    let mut offsets = [0; N];
    for (offset, &tap) in offsets.iter_mut().zip(&job.offsets[tap..]) {
        *offset = tap as usize;
    }
    let mut found = [[[0.0_f32; LANES]; N]; M];
    // SAFETY: as asserted by `Correlation::run`.
    unsafe {
        // A vector of one strip covers the positions twice.
        for pass in 0..2 / V::STRIPS {
            let mut sums = [[V::splat(0.0); N]; M];
            for image in 0..job.images {
                let source = source.as_ptr().add(image * job.image);
                let mut places = [source; N];
                for n in 0..N {
                    places[n] = source.add(offsets[n]);
                }
                let d = d.as_ptr().add(image * job.d_image + row * plane);
                for vector in 0..job.strips.vectors() {
                    let [first, second] = job.strips.vector(vector);
                    let first = if pass == 0 { first } else { second };
                    let mut rows = [V::splat(0.0); M];
                    for m in 0..M {
                        let d = d.add(m * plane);
                        rows[m] = if FULL {
                            let d = d.add(vector * LANES + pass * STRIP);
                            V::load::<true>(d, d.add(STRIP))
                        } else {
                            let strips = [d.add(first.place as usize), d.add(second.place as usize)];
                            V::load_part::<WIDE>(strips, [first.count as usize, second.count as usize])
                        };
                    }
                    for n in 0..N {
                        let (first, second) = (first.base as usize, second.base as usize);
                        let value = V::load::<WIDE>(places[n].add(first), places[n].add(second));
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
