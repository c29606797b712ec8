//! Computes rows of results from a padded image, tile by tile, each a sum over taps.
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
#![allow(
    clippy::needless_range_loop,
    reason = "loops of fixed length, over several arrays, that are unrolled"
)]

use super::lanes::{Lanes, Plain};
use super::tiles::Strips;
use super::weights;
use crate::matmul::WriteMode;
use crate::simd::{self, Level};

/// The number of vectors whose tiles are all computed before the next: their part of the image stays in the L1 cache.
const BLOCK: usize = 6;

/// The data shared by all images.
#[derive(Clone, Copy)]
pub(super) struct Sweep<'a> {
    /// The layout of the results.
    pub(super) strips: Strips<'a>,
    /// The offset of each tap from the positions of the results.
    pub(super) offsets: &'a [u32],
    /// The planes of results.
    pub(super) rows: usize,
}

/// The rows of a full tile at this level.
pub(super) fn tile_rows() -> usize {
    match simd::level() {
        Level::Avx512 => 8,
        Level::Avx2 => 6,
        Level::Portable => 4,
    }
}

impl Sweep<'_> {
    /// `results[row][place] = start[row] + sum over taps of weight[row][tap] * source[place + offset[tap]]`, with
    /// weights from [`weights::pack`] for [`tile_rows`]; `start` is 0 if it is empty. `next` is read next:
    /// it is prefetched meanwhile.
    pub(super) fn run(
        &self,
        source: &[f32],
        packed: &[f32],
        start: &[f32],
        results: &mut [f32],
        onto: WriteMode,
        next: &[f32],
    ) {
        let farthest = self.offsets.iter().max().map_or(0, |&offset| offset as usize);
        let reach = if self.offsets.is_empty() { 0 } else { farthest + self.strips.reach };
        assert!(reach <= source.len(), "every tap of every strip is inside of the source");
        assert!(
            packed.len() >= weights::room(self.rows, self.offsets.len(), tile_rows()),
            "a weight for each tap"
        );
        assert!(start.is_empty() || start.len() == self.rows, "a start for each row");
        assert!(results.len() >= self.rows * self.strips.plane, "a plane for each row");
        let job = Job { sweep: *self, source, packed, start, onto, next };
        // SAFETY: `level` returns a level only if the processor was detected to have its features; the rest is
        // asserted above, and `Strips` are inside of their plane.
        unsafe {
            match simd::level() {
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 if self.strips.wide => avx512::<true>(&job, results),
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => avx512::<false>(&job, results),
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => avx2(&job, results),
                _ => sweep::<Plain, false, 4, 1>(&job, results),
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn avx512<const WIDE: bool>(job: &Job<'_>, results: &mut [f32]) {
    // SAFETY: the caller's.
    unsafe { sweep::<super::lanes::Avx512, WIDE, 8, 3>(job, results) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(job: &Job<'_>, results: &mut [f32]) {
    // SAFETY: the caller's.
    unsafe { sweep::<super::lanes::Avx2, false, 6, 2>(job, results) }
}

struct Job<'a> {
    sweep: Sweep<'a>,
    source: &'a [f32],
    packed: &'a [f32],
    start: &'a [f32],
    onto: WriteMode,
    next: &'a [f32],
}

/// # Safety
/// The processor has the level of `V`, and what [`Sweep::run`] asserts holds.
#[inline(always)]
unsafe fn sweep<V: Lanes, const WIDE: bool, const MOST: usize, const ACROSS: usize>(
    job: &Job<'_>,
    results: &mut [f32],
) {
    let Sweep { strips, offsets, rows } = job.sweep;
    // In vectors of this level.
    let vectors = strips.vectors() * 2 / V::STRIPS;
    let block = BLOCK * 2 / V::STRIPS;
    let share = job.next.len().div_ceil(vectors.div_ceil(block).max(1)).max(1);
    let mut shares = job.next.chunks(share);
    for first in (0..vectors).step_by(block) {
        let end = (first + block).min(vectors);
        fetch(shares.next().unwrap_or_default());
        let (mut row, mut packed) = (0, job.packed.as_ptr());
        while row < rows {
            let height = weights::height(rows - row, MOST);
            // SAFETY: the caller's; `height` is the height of the tile that `pack` made at this row.
            unsafe {
                match height {
                    1 => band::<V, WIDE, 1, ACROSS>(job, packed, row, first..end, results),
                    4 => band::<V, WIDE, 4, ACROSS>(job, packed, row, first..end, results),
                    _ => band::<V, WIDE, MOST, ACROSS>(job, packed, row, first..end, results),
                }
                packed = packed.add(height * offsets.len());
            }
            row += height;
        }
    }
}

/// Prefetches elements into the L2 cache.
#[inline(always)]
fn fetch(numbers: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in numbers.chunks(16) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: every x86-64 has it, and it reads nothing that the program would see.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = numbers;
}

/// The tiles of some vectors and `M` rows, with at most `ACROSS` vectors, which is at most 3.
///
/// # Safety
/// As [`sweep`], with a tile of weights of `M` rows at `packed`.
#[inline(always)]
unsafe fn band<V: Lanes, const WIDE: bool, const M: usize, const ACROSS: usize>(
    job: &Job<'_>,
    packed: *const f32,
    row: usize,
    vectors: std::ops::Range<usize>,
    results: &mut [f32],
) {
    let mut vector = vectors.start;
    // SAFETY: the caller's.
    unsafe {
        while vector < vectors.end {
            // Two and two are more balanced than three and one.
            let left = vectors.end - vector;
            let across = if left == 4 { 2.min(ACROSS) } else { left.min(ACROSS) };
            match across {
                1 => tile::<V, WIDE, M, 1>(job, packed, row, vector, results),
                2 => tile::<V, WIDE, M, 2>(job, packed, row, vector, results),
                _ => tile::<V, WIDE, M, 3>(job, packed, row, vector, results),
            }
            vector += across;
        }
    }
}

/// `M` rows of `N` vectors.
///
/// # Safety
/// As [`band`].
#[inline(always)]
unsafe fn tile<V: Lanes, const WIDE: bool, const M: usize, const N: usize>(
    job: &Job<'_>,
    packed: *const f32,
    row: usize,
    vector: usize,
    results: &mut [f32],
) {
    let Sweep { strips, offsets, rows } = job.sweep;
    let source = job.source.as_ptr();
    let result = results.as_mut_ptr();
    let (mut places, mut to, mut counts) = ([[source; 2]; N], [[result; 2]; N], [[0; 2]; N]);
    for n in 0..N {
        for strip in 0..V::STRIPS {
            let found = strips.get((vector + n) * V::STRIPS + strip);
            // SAFETY: `Sweep::run` asserts that strips are inside of the source, the farthest tap away, and inside
            // of a plane of results.
            unsafe {
                places[n][strip] = source.add(found.base as usize);
                to[n][strip] = result.add(row * strips.plane + found.place as usize);
            }
            counts[n][strip] = found.count as usize;
        }
    }
    // SAFETY: as above for loads; the weights of the tile are at `packed`.
    unsafe {
        let mut sums = [[V::splat(0.0); N]; M];
        for (m, sums) in sums.iter_mut().enumerate() {
            let start = job.start.get(row + m).copied().unwrap_or(0.0);
            *sums = [V::splat(start); N];
        }
        let mut weight = packed;
        for &offset in offsets {
            let offset = offset as usize;
            let mut values = [V::splat(0.0); N];
            for n in 0..N {
                values[n] = V::load::<WIDE>(places[n][0].add(offset), places[n][1].add(offset));
            }
            for m in 0..M {
                let factor = V::splat(*weight.add(m));
                for n in 0..N {
                    sums[m][n] = factor.mul_add(values[n], sums[m][n]);
                }
            }
            weight = weight.add(M);
        }
        // A separate loop for tiles whose rows are all results: it is unrolled, so that sums stay in registers.
        match (rows - row >= M, job.onto) {
            (true, WriteMode::Overwrite) => put::<V, WIDE, false, M, N>(&sums, M, &to, &counts, strips.plane),
            (true, WriteMode::Accumulate) => put::<V, WIDE, true, M, N>(&sums, M, &to, &counts, strips.plane),
            (false, WriteMode::Overwrite) => {
                put::<V, WIDE, false, M, N>(&sums, rows - row, &to, &counts, strips.plane);
            }
            (false, WriteMode::Accumulate) => {
                put::<V, WIDE, true, M, N>(&sums, rows - row, &to, &counts, strips.plane);
            }
        }
    }
}

/// Writes the first `rows` rows of a tile.
///
/// # Safety
/// The processor has the level of `V`, and results are at `to`, with rows `plane` apart.
#[inline(always)]
unsafe fn put<V: Lanes, const WIDE: bool, const ADD: bool, const M: usize, const N: usize>(
    sums: &[[V; N]; M],
    rows: usize,
    to: &[[*mut f32; 2]; N],
    counts: &[[usize; 2]; N],
    plane: usize,
) {
    for (m, sums) in sums.iter().enumerate().take(rows) {
        for n in 0..N {
            // SAFETY: the caller's.
            unsafe { sums[n].put::<WIDE, ADD>(to[n].map(|to| to.add(m * plane)), counts[n]) };
        }
    }
}
