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

/// The sum of the lanes.
#[inline(always)]
pub(super) fn fold(mut lanes: [f32; LANES]) -> f32 {
    for width in [8, 4, 2, 1] {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
    }
    lanes[0]
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
    let taps = job.offsets.len();
    for row in (0..job.rows).step_by(M) {
        for tap in (0..taps).step_by(N) {
            let (m, n) = (M.min(job.rows - row), N.min(taps - tap));
            let mut found = [[[0.0; LANES]; N]; M];
            // SAFETY: the caller's.
            unsafe {
                match (m == M, n == N) {
                    (true, true) => tile::<V, WIDE, M, N, M, N>(job, source, d, (row, tap), &mut found),
                    _ => {
                        for m in 0..m {
                            for n in 0..n {
                                let mut one = [[[0.0; LANES]; N]; M];
                                tile::<V, WIDE, 1, 1, M, N>(job, source, d, (row + m, tap + n), &mut one);
                                found[m][n] = one[0][0];
                            }
                        }
                    }
                }
            }
            for (m, found) in found.iter().enumerate().take(m) {
                for (n, found) in found.iter().enumerate().take(n) {
                    sums[(row + m) * taps + tap + n] = fold(*found);
                }
            }
        }
    }
}

/// `M` rows and `N` taps.
///
/// # Safety
/// As [`correlate`].
#[inline(always)]
unsafe fn tile<
    V: Lanes,
    const WIDE: bool,
    const M: usize,
    const N: usize,
    const MM: usize,
    const NN: usize,
>(
    job: &Correlation<'_>,
    source: &[f32],
    d: &[f32],
    (row, tap): (usize, usize),
    found: &mut [[[f32; LANES]; NN]; MM],
) {
    let vectors = job.strips.vectors();
    // SAFETY: as asserted by `Correlation::run`.
    unsafe {
        // A vector of one strip goes over the places twice.
        for pass in 0..2 / V::STRIPS {
            let mut sums = [[V::splat(0.0); N]; M];
            for image in 0..job.images {
                let source = source.as_ptr().add(image * job.image);
                let d = d.as_ptr().add(image * job.d_image + row * vectors * LANES + pass * STRIP);
                for vector in 0..vectors {
                    let bases =
                        [2 * vector + pass, 2 * vector + 1].map(|at| job.strips.get(at).base as usize);
                    let mut rows = [V::splat(0.0); M];
                    for m in 0..M {
                        let at = d.add((m * vectors + vector) * LANES);
                        rows[m] = V::load::<true>(at, at.add(STRIP));
                    }
                    for n in 0..N {
                        let places = source.add(job.offsets[tap + n] as usize);
                        let value = V::load::<WIDE>(places.add(bases[0]), places.add(bases[1]));
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
}
