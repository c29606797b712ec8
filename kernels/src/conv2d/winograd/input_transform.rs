//! The input transform: of each tile `d`, four by four elements that overlap by two, `B' d B` with
//! ```text
//!      1  0 -1  0
//! B' = 0  1  1  0
//!      0 -1  1  0
//!      0  1  0 -1
//! ```
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
#![allow(
    clippy::needless_range_loop,
    reason = "loops of fixed length, over several arrays, that are unrolled"
)]

use super::{Cut, Filter, LANES, POINTS, Part};
use crate::conv2d::lanes::{Lanes, Plain};
use crate::conv2d::tiles::STRIP;
use crate::simd::Level;
use crate::{scratch, simd};

/// Transforms a part of the images `x` to `points`: for each of them planes of tiles, of which the first is where
/// `Cut` describes.
pub(super) fn transform(filter: &Filter, cut: &Cut, part: Part, x: &[f32], points: &mut [f32]) {
    let Filter { ins, height, width, .. } = *filter;
    let sizes = Sizes {
        pitch: 2 * cut.across + 2,
        rows: 2 * part.band + 2,
        plane: (part.band + 1) * cut.across + LANES,
        tiles: part.band * cut.across,
    };
    let images = x.len() / (ins * height * width);
    let last = (POINTS - 1) * cut.in_point(ins) + (ins - 1) * cut.pitch + (images - 1) * sizes.tiles;
    assert!(last + sizes.tiles.next_multiple_of(LANES) <= points.len(), "each point has planes of tiles");
    // A vector extends beyond the end of the last row.
    scratch::with(sizes.rows * sizes.pitch + 4 * LANES, |padded| {
        padded.fill(0.0);
        scratch::with(8 * sizes.plane, |planes| {
            let job = Job { filter, cut, part, sizes };
            // SAFETY: `level` returns a level only if the processor was detected to have its features; the rest is
            // asserted above.
            unsafe {
                match simd::level() {
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512 => avx512(job, x, padded, planes, points),
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2 => avx2(job, x, padded, planes, points),
                    _ => images_of::<Plain>(job, x, padded, planes, points),
                }
            }
        });
    });
}

/// The layout of elements in scratch.
#[derive(Clone, Copy)]
struct Sizes {
    /// The columns of a padded plane, an even number, and its rows, two for each row of tiles and two more.
    pitch: usize,
    rows: usize,
    /// The distance between planes, each of the elements at the same position of all tiles.
    plane: usize,
    /// The tiles of the part.
    tiles: usize,
}

#[derive(Clone, Copy)]
struct Job<'a> {
    filter: &'a Filter,
    cut: &'a Cut,
    part: Part,
    sizes: Sizes,
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn avx512(job: Job<'_>, x: &[f32], padded: &mut [f32], planes: &mut [f32], points: &mut [f32]) {
    // SAFETY: the caller's.
    unsafe { images_of::<crate::conv2d::lanes::Avx512>(job, x, padded, planes, points) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(job: Job<'_>, x: &[f32], padded: &mut [f32], planes: &mut [f32], points: &mut [f32]) {
    // SAFETY: the caller's.
    unsafe { images_of::<crate::conv2d::lanes::Avx2>(job, x, padded, planes, points) }
}

/// # Safety
/// The processor has the level of `V`; `padded`, `planes` and `points` are as [`transform`] makes them.
#[inline(always)]
unsafe fn images_of<V: Lanes>(
    Job { filter, cut, part, sizes }: Job<'_>,
    x: &[f32],
    padded: &mut [f32],
    planes: &mut [f32],
    points: &mut [f32],
) {
    let Filter { ins, height, width, .. } = *filter;
    for (number, image) in x.chunks_exact(ins * height * width).enumerate() {
        for (channel, image) in image.chunks_exact(height * width).enumerate() {
            let to = &mut points[channel * cut.pitch + number * sizes.tiles..];
            // SAFETY: the caller's.
            unsafe {
                pad::<V>(image, filter, part, sizes, padded);
                if cut.across.is_multiple_of(V::STRIPS * STRIP) {
                    rows_of::<V>(padded, cut.across, sizes, to, cut.in_point(ins));
                } else {
                    split::<V>(padded, cut.across, sizes, planes);
                    tiles_of::<V>(planes, cut.across, sizes, to, cut.in_point(ins));
                }
            }
        }
    }
}

/// Copies rows of a plane, zero-padded. The columns to the left and right are already zero.
///
/// # Safety
/// As [`images_of`].
#[inline(always)]
unsafe fn pad<V: Lanes>(image: &[f32], filter: &Filter, part: Part, sizes: Sizes, padded: &mut [f32]) {
    let Filter { height, width, padding, .. } = *filter;
    let lanes = V::STRIPS * STRIP;
    for row in 0..sizes.rows {
        let to = &mut padded[row * sizes.pitch..];
        let Some(row) = (2 * part.top + row).checked_sub(padding).filter(|&row| row < height) else {
            to[..sizes.pitch].fill(0.0);
            continue;
        };
        let row = &image[row * width..][..width];
        for column in (0..width).step_by(lanes) {
            let left = width - column;
            let counts = [left.min(STRIP), left.saturating_sub(STRIP).min(STRIP)];
            // SAFETY: no more elements are read than the row has. A vector may reach over the end of the padded row
            // with zeros: over what is zero, or copied next, or the room after the last row.
            unsafe {
                let from = row.as_ptr().add(column);
                let values = V::load_part::<true>([from, from.wrapping_add(STRIP)], counts);
                values.store(to.as_mut_ptr().add(padding + column));
            }
        }
    }
}

/// Four vectors, of the columns by their position in a tile, of a row of a padded plane.
///
/// # Safety
/// The processor has the level of `V`, and there are that many columns.
#[inline(always)]
unsafe fn columns<V: Lanes>(from: *const f32) -> [V; 4] {
    let lanes = V::STRIPS * STRIP;
    // SAFETY: the caller's.
    unsafe {
        let load = |at| V::load::<true>(from.add(at), from.add(at + STRIP));
        let [a, b] = load(0).part(load(lanes));
        let [c, d] = load(2).part(load(2 + lanes));
        [a, b, c, d]
    }
}

/// [`split`] and [`tiles_of`] in one, where rows of tiles are complete vectors.
///
/// # Safety
/// As [`images_of`].
#[inline(always)]
unsafe fn rows_of<V: Lanes>(padded: &[f32], across: usize, sizes: Sizes, to: &mut [f32], point: usize) {
    for column in (0..across).step_by(V::STRIPS * STRIP) {
        // SAFETY: a row has `2 * across + 2` elements, and there are two for each row of tiles and two more; the
        // caller's for what is written.
        unsafe {
            let row = |row: usize| columns::<V>(padded.as_ptr().add(row * sizes.pitch + 2 * column));
            let (mut a, mut b) = (row(0), row(1));
            for i in 0..sizes.rows / 2 - 1 {
                let (c, d) = (row(2 * i + 2), row(2 * i + 3));
                put([a, b, c, d], to.as_mut_ptr().add(i * across + column), point);
                (a, b) = (c, d);
            }
        }
    }
}

/// Splits the columns of a padded plane by their position in a tile, and its rows by their parity: eight planes.
///
/// # Safety
/// As [`images_of`].
#[inline(always)]
unsafe fn split<V: Lanes>(padded: &[f32], across: usize, sizes: Sizes, planes: &mut [f32]) {
    let lanes = V::STRIPS * STRIP;
    for row in 0..sizes.rows {
        for column in (0..across).step_by(lanes) {
            // SAFETY: a row has `2 * across + 2` elements, and a plane `across` for each two rows; there is
            // room after the last for the rest of the vectors.
            unsafe {
                let from = padded.as_ptr().add(row * sizes.pitch + 2 * column);
                let to = planes.as_mut_ptr().add(4 * (row % 2) * sizes.plane + row / 2 * across + column);
                for (place, values) in columns::<V>(from).into_iter().enumerate() {
                    values.store(to.add(place * sizes.plane));
                }
            }
        }
    }
}

/// The points of all tiles of a plane, `point` apart.
///
/// # Safety
/// As [`images_of`].
#[inline(always)]
unsafe fn tiles_of<V: Lanes>(planes: &[f32], across: usize, sizes: Sizes, to: &mut [f32], point: usize) {
    let (from, to) = (planes.as_ptr(), to.as_mut_ptr());
    for tile in (0..sizes.tiles).step_by(V::STRIPS * STRIP) {
        // SAFETY: the planes have rows for all tiles and one more, and there is room after the last; the caller's
        // for what is written.
        unsafe {
            let mut d = [[V::splat(0.0); 4]; 4];
            for i in 0..4 {
                for j in 0..4 {
                    let at = from.add((4 * (i % 2) + j) * sizes.plane + i / 2 * across + tile);
                    d[i][j] = V::load::<true>(at, at.add(STRIP));
                }
            }
            put(d, to.add(tile), point);
        }
    }
}

/// Writes the points of a vector of tiles.
///
/// # Safety
/// The processor has the level of `V`, and there are sixteen points at `to`, `point` apart.
#[inline(always)]
unsafe fn put<V: Lanes>(mut d: [[V; 4]; 4], to: *mut f32, point: usize) {
    // SAFETY: the caller's.
    unsafe {
        for j in 0..4 {
            [d[0][j], d[1][j], d[2][j], d[3][j]] = line([d[0][j], d[1][j], d[2][j], d[3][j]]);
        }
        for (i, row) in d.into_iter().enumerate() {
            for (j, value) in line(row).into_iter().enumerate() {
                value.store(to.add((4 * i + j) * point));
            }
        }
    }
}

/// `B'` times a column.
///
/// # Safety
/// The processor has the level of `V`.
#[inline(always)]
pub(super) unsafe fn line<V: Lanes>([a, b, c, d]: [V; 4]) -> [V; 4] {
    // SAFETY: the caller's.
    unsafe { [a.sub(c), b.add(c), c.sub(b), b.sub(d)] }
}
