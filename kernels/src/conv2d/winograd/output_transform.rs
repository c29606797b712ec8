//! The output transform: of each tile `m`, four by four sums, `A' m A` with
//! ```text
//! A' = 1  1  1  0
//!      0  1 -1 -1
//! ```
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
#![allow(
    clippy::needless_range_loop,
    reason = "loops of fixed length, over several arrays, that are unrolled"
)]

use super::{Cut, Filter, LANES, POINTS, Part};
use crate::conv2d::lanes::{Lanes, Plain};
use crate::conv2d::tiles::STRIP;
use crate::matmul::WriteMode;
use crate::simd::Level;
use crate::{scratch, simd};

/// Transforms the sums at all points, planes of `wide` tiles, to a part of the results `y`, and adds the bias.
pub(super) fn transform(
    filter: &Filter,
    cut: &Cut,
    part: Part,
    (points, wide): (&[f32], usize),
    bias: Option<&[f32]>,
    (y, onto): (&mut [f32], WriteMode),
) {
    let Filter { outs, rows, columns, .. } = *filter;
    let tiles = part.band * cut.across;
    let images = y.len() / (outs * rows * columns);
    let last = (POINTS - 1) * cut.out_point(outs) + (outs - 1) * wide + (images - 1) * tiles;
    assert!(last + tiles.next_multiple_of(LANES) <= points.len(), "each point has planes of tiles");
    assert!(bias.is_none_or(|bias| bias.len() == outs), "bias is [out]");
    scratch::with(4 * (tiles + LANES), |planes| {
        let job = Job { filter, cut, part, points, wide, bias };
        // SAFETY: `level` returns a level only if the processor was detected to have its features; the rest is
        // asserted above.
        unsafe {
            match (simd::level(), onto) {
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, WriteMode::Overwrite) => avx512::<false>(job, planes, y),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, WriteMode::Accumulate) => avx512::<true>(job, planes, y),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx2, WriteMode::Overwrite) => avx2::<false>(job, planes, y),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx2, WriteMode::Accumulate) => avx2::<true>(job, planes, y),
                (_, WriteMode::Overwrite) => images_of::<Plain, false>(job, planes, y),
                (_, WriteMode::Accumulate) => images_of::<Plain, true>(job, planes, y),
            }
        }
    });
}

#[derive(Clone, Copy)]
struct Job<'a> {
    filter: &'a Filter,
    cut: &'a Cut,
    part: Part,
    points: &'a [f32],
    wide: usize,
    bias: Option<&'a [f32]>,
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn avx512<const ADD: bool>(job: Job<'_>, planes: &mut [f32], y: &mut [f32]) {
    // SAFETY: the caller's.
    unsafe { images_of::<crate::conv2d::lanes::Avx512, ADD>(job, planes, y) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<const ADD: bool>(job: Job<'_>, planes: &mut [f32], y: &mut [f32]) {
    // SAFETY: the caller's.
    unsafe { images_of::<crate::conv2d::lanes::Avx2, ADD>(job, planes, y) }
}

/// # Safety
/// The processor has the level of `V`; `planes` and the points are as in [`transform`].
#[inline(always)]
unsafe fn images_of<V: Lanes, const ADD: bool>(
    Job { filter, cut, part, points, wide, bias }: Job<'_>,
    planes: &mut [f32],
    y: &mut [f32],
) {
    let Filter { outs, rows, columns, .. } = *filter;
    let tiles = part.band * cut.across;
    for (number, y) in y.chunks_exact_mut(outs * rows * columns).enumerate() {
        for (channel, y) in y.chunks_exact_mut(rows * columns).enumerate() {
            let from = &points[channel * wide + number * tiles..];
            let bias = bias.map_or(0.0, |bias| bias[channel]);
            // The last row of tiles may end below the last row.
            let end = rows.min(2 * (part.top + part.band));
            let y = &mut y[2 * part.top * columns..end * columns];
            // SAFETY: the caller's.
            unsafe {
                if cut.across.is_multiple_of(V::STRIPS * STRIP) {
                    rows_of::<V, ADD>(from, cut.out_point(outs), bias, cut.across, y, columns);
                } else {
                    tiles_of::<V>(from, cut.out_point(outs), bias, tiles, planes);
                    join::<V, ADD>(planes, tiles + LANES, cut.across, y, columns);
                }
            }
        }
    }
}

/// The four results of a vector of tiles, of which the points are `point` apart.
///
/// # Safety
/// The processor has the level of `V`, and a vector can be read at each point.
#[inline(always)]
unsafe fn tiles<V: Lanes>(from: *const f32, point: usize, bias: f32) -> [[V; 2]; 2] {
    // SAFETY: the caller's.
    unsafe {
        let mut rows = [[V::splat(0.0); 4]; 2];
        for j in 0..4 {
            let load = |i: usize| {
                let at = from.add((4 * i + j) * point);
                V::load::<true>(at, at.add(STRIP))
            };
            [rows[0][j], rows[1][j]] = line([load(0), load(1), load(2), load(3)]);
        }
        let bias = V::splat(bias);
        // Written out: a closure of `map` might become a separate function, compiled without the level.
        let ([a, b], [c, d]) = (line(rows[0]), line(rows[1]));
        [[a.add(bias), b.add(bias)], [c.add(bias), d.add(bias)]]
    }
}

/// The four results of all tiles, each in a separate plane.
///
/// # Safety
/// As [`images_of`].
#[inline(always)]
unsafe fn tiles_of<V: Lanes>(from: &[f32], point: usize, bias: f32, count: usize, planes: &mut [f32]) {
    for tile in (0..count).step_by(V::STRIPS * STRIP) {
        // SAFETY: the caller's.
        unsafe {
            let [[a, b], [c, d]] = tiles::<V>(from.as_ptr().add(tile), point, bias);
            for (place, value) in [a, b, c, d].into_iter().enumerate() {
                value.store(planes.as_mut_ptr().add(place * (count + LANES) + tile));
            }
        }
    }
}

/// Joins four planes of results into the rows `y`.
///
/// # Safety
/// As [`images_of`].
#[inline(always)]
unsafe fn join<V: Lanes, const ADD: bool>(
    planes: &[f32],
    plane: usize,
    across: usize,
    y: &mut [f32],
    columns: usize,
) {
    for (row, y) in y.chunks_exact_mut(columns).enumerate() {
        let planes = &planes[row % 2 * 2 * plane + row / 2 * across..];
        for first in (0..columns).step_by(2 * V::STRIPS * STRIP) {
            // SAFETY: a plane has the tile of every column, and room after the last.
            unsafe {
                let load = |at: usize| {
                    let at = planes.as_ptr().add(at + first / 2);
                    V::load::<true>(at, at.add(STRIP))
                };
                put::<V, ADD>([load(0), load(plane)], &mut y[first..]);
            }
        }
    }
}

/// [`tiles_of`] and [`join`] in one, where rows of tiles are complete vectors.
///
/// # Safety
/// As [`images_of`].
#[inline(always)]
unsafe fn rows_of<V: Lanes, const ADD: bool>(
    from: &[f32],
    point: usize,
    bias: f32,
    across: usize,
    y: &mut [f32],
    columns: usize,
) {
    for (row, y) in y.chunks_mut(2 * columns).enumerate() {
        let (upper, lower) = y.split_at_mut(columns);
        for first in (0..across).step_by(V::STRIPS * STRIP) {
            // SAFETY: the caller's.
            unsafe {
                let [a, b] = tiles::<V>(from.as_ptr().add(row * across + first), point, bias);
                put::<V, ADD>(a, &mut upper[2 * first..]);
                if !lower.is_empty() {
                    put::<V, ADD>(b, &mut lower[2 * first..]);
                }
            }
        }
    }
}

/// Writes even and odd columns to the rest of a row.
///
/// # Safety
/// The processor has the level of `V`.
#[inline(always)]
unsafe fn put<V: Lanes, const ADD: bool>([even, odd]: [V; 2], row: &mut [f32]) {
    let lanes = V::STRIPS * STRIP;
    // SAFETY: the caller's, and no more is written than there is.
    unsafe {
        for (half, values) in even.zip(odd).into_iter().enumerate() {
            let left = row.len().saturating_sub(half * lanes);
            if left > 0 {
                let counts = [left.min(STRIP), left.saturating_sub(STRIP).min(STRIP)];
                let to = row.as_mut_ptr().add(half * lanes);
                // The second strip of a vector, if it has one.
                values.put::<true, ADD>([to, to.wrapping_add(STRIP)], counts);
            }
        }
    }
}

/// `A'` times a column.
///
/// # Safety
/// The processor has the level of `V`.
#[inline(always)]
unsafe fn line<V: Lanes>([a, b, c, d]: [V; 4]) -> [V; 2] {
    // SAFETY: the caller's.
    unsafe { [a.add(b).add(c), b.sub(c).sub(d)] }
}
