//! Tiles with contiguous channels per position: the gradient of the weights sums over tiles, so that vectors are
//! of channels. Images become `B' d B` as in [`super::image`], gradients of results, two by two elements, `A d A'` with
//! the `A` of [`super::result`].
#![allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
#![allow(
    clippy::needless_range_loop,
    reason = "loops of fixed length, over several arrays, that are unrolled"
)]

use super::{LANES, POINTS, input_transform};
use crate::conv2d::lanes::{Lanes, Plain};
use crate::conv2d::tiles::STRIP;
use crate::simd::{self, Level};
use crate::sizes::elements;

/// The layout of the planes of a transposed image: zero-padded rows of positions, each with all channels.
#[derive(Clone, Copy)]
pub(super) struct Turned {
    /// The number of planes, and of elements per position: a multiple of the vector length, padded with 0.
    pub(super) planes: usize,
    pub(super) lanes: usize,
    /// The sizes of a plane, and its offset.
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) padding: usize,
    /// The rows and columns of all.
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl Turned {
    /// The number of elements of a transposed image.
    pub(super) fn len(&self) -> usize {
        self.rows * self.columns * self.lanes
    }

    /// Transposes an image. The padding around it is unchanged.
    pub(super) fn turn(&self, image: &[f32], to: &mut [f32]) {
        assert_eq!(image.len(), elements([self.planes, self.height, self.width]), "an image has all planes");
        assert_eq!(to.len(), self.len(), "there is a place for each");
        assert!(self.lanes.is_multiple_of(LANES) && self.planes <= self.lanes, "places are vectors");
        assert!(
            self.height + self.padding <= self.rows && self.width + self.padding <= self.columns,
            "a plane fits"
        );
        // SAFETY: `level` returns a level only if the processor was detected to have its features; the rest is
        // asserted above.
        unsafe {
            match simd::level() {
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => turn_avx512(self, image, to),
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => turn_avx2(self, image, to),
                _ => turn::<Plain>(self, image, to),
            }
        }
    }

    /// The points of a row of `across` tiles: `to` has sixteen times tiles, `point` apart. If `back`, tiles are of two by
    /// two elements.
    pub(super) fn tiles(
        &self,
        from: &[f32],
        row: usize,
        across: usize,
        back: bool,
        to: &mut [f32],
        point: usize,
    ) {
        assert_eq!(from.len(), self.len(), "there is a place for each");
        let side = if back { 0 } else { 2 };
        assert!(2 * row + 2 + side <= self.rows && 2 * across + side <= self.columns, "there are such tiles");
        assert!((POINTS - 1) * point + across * self.lanes <= to.len(), "there is room at each point");
        assert!(self.lanes.is_multiple_of(LANES), "places are vectors");
        let from = &from[2 * row * self.columns * self.lanes..];
        // SAFETY: as for `turn`.
        unsafe {
            match (simd::level(), back) {
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, false) => tiles_avx512::<false>(self, from, across, to, point),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx512, true) => tiles_avx512::<true>(self, from, across, to, point),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx2, false) => tiles_avx2::<false>(self, from, across, to, point),
                #[cfg(target_arch = "x86_64")]
                (Level::Avx2, true) => tiles_avx2::<true>(self, from, across, to, point),
                (_, false) => tiles::<Plain, false>(self, from, across, to, point),
                (_, true) => tiles::<Plain, true>(self, from, across, to, point),
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn turn_avx512(turned: &Turned, image: &[f32], to: &mut [f32]) {
    // SAFETY: the caller's.
    unsafe { turn::<crate::conv2d::lanes::Avx512>(turned, image, to) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn turn_avx2(turned: &Turned, image: &[f32], to: &mut [f32]) {
    // SAFETY: the caller's.
    unsafe { turn::<crate::conv2d::lanes::Avx2>(turned, image, to) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn tiles_avx512<const BACK: bool>(
    turned: &Turned,
    from: &[f32],
    across: usize,
    to: &mut [f32],
    point: usize,
) {
    // SAFETY: the caller's.
    unsafe { tiles::<crate::conv2d::lanes::Avx512, BACK>(turned, from, across, to, point) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn tiles_avx2<const BACK: bool>(
    turned: &Turned,
    from: &[f32],
    across: usize,
    to: &mut [f32],
    point: usize,
) {
    // SAFETY: the caller's.
    unsafe { tiles::<crate::conv2d::lanes::Avx2, BACK>(turned, from, across, to, point) }
}

/// Transposes squares of a vector of positions and as many planes.
///
/// # Safety
/// The processor has the level of `V`, and what [`Turned::turn`] asserts holds.
#[inline(always)]
unsafe fn turn<V: Lanes>(turned: &Turned, image: &[f32], to: &mut [f32]) {
    let Turned { planes, lanes, height, width, padding, columns, .. } = *turned;
    let side = V::STRIPS * STRIP;
    let size = height * width;
    for first in (0..lanes).step_by(side) {
        let (mut row, mut column) = (0, 0);
        for place in (0..size).step_by(side) {
            let left = size - place;
            let counts = [left.min(STRIP), left.saturating_sub(STRIP).min(STRIP)];
            // SAFETY: the caller's: no more elements are read than a plane has, and positions are disjoint.
            unsafe {
                let mut square = [V::splat(0.0); LANES];
                for lane in 0..side {
                    if first + lane < planes {
                        let from = image.as_ptr().add((first + lane) * size + place);
                        square[lane] = V::load_part::<true>([from, from.wrapping_add(STRIP)], counts);
                    }
                }
                // Each round moves a bit of the number of the lane to that of the vector.
                for _ in 0..side.ilog2() {
                    let last = square;
                    for pair in 0..side / 2 {
                        [square[2 * pair], square[2 * pair + 1]] = last[pair].zip(last[pair + side / 2]);
                    }
                }
                for lane in 0..side {
                    if lane < left {
                        let place = (row + padding) * columns + column + padding;
                        square[lane].store(to.as_mut_ptr().add(place * lanes + first));
                        column += 1;
                        if column == width {
                            (row, column) = (row + 1, 0);
                        }
                    }
                }
            }
        }
    }
}

/// # Safety
/// The processor has the level of `V`, and what [`Turned::tiles`] asserts holds.
#[inline(always)]
unsafe fn tiles<V: Lanes, const BACK: bool>(
    turned: &Turned,
    from: &[f32],
    across: usize,
    to: &mut [f32],
    point: usize,
) {
    let Turned { lanes, columns, .. } = *turned;
    for first in (0..lanes).step_by(V::STRIPS * STRIP) {
        // SAFETY: the caller's: there are the rows and columns of all tiles, and room for their points.
        unsafe {
            let from = from.as_ptr().add(first);
            let to = to.as_mut_ptr().add(first);
            if BACK {
                for tile in 0..across {
                    let a = spread(load::<V, 2>(from.add(2 * tile * lanes), columns * lanes));
                    let b = spread(load::<V, 2>(from.add((2 * tile + 1) * lanes), columns * lanes));
                    for i in 0..4 {
                        put(spread([a[i], b[i]]), to.add(4 * i * point + tile * lanes), point);
                    }
                }
            } else {
                // Neighbours share two columns.
                let mut a = input_transform::line(load::<V, 4>(from, columns * lanes));
                let mut b = input_transform::line(load::<V, 4>(from.add(lanes), columns * lanes));
                for tile in 0..across {
                    let from = from.add((2 * tile + 2) * lanes);
                    let c = input_transform::line(load::<V, 4>(from, columns * lanes));
                    let d = input_transform::line(load::<V, 4>(from.add(lanes), columns * lanes));
                    for i in 0..4 {
                        let row = input_transform::line([a[i], b[i], c[i], d[i]]);
                        put(row, to.add(4 * i * point + tile * lanes), point);
                    }
                    (a, b) = (c, d);
                }
            }
        }
    }
}

/// Vectors of a column, `pitch` apart.
///
/// # Safety
/// The processor has the level of `V`, and there are that many.
#[inline(always)]
unsafe fn load<V: Lanes, const N: usize>(from: *const f32, pitch: usize) -> [V; N] {
    // SAFETY: the caller's.
    unsafe {
        let mut column = [V::splat(0.0); N];
        for row in 0..N {
            let at = from.add(row * pitch);
            column[row] = V::load::<true>(at, at.add(STRIP));
        }
        column
    }
}

/// Writes vectors `point` apart.
///
/// # Safety
/// The processor has the level of `V`, and there is room.
#[inline(always)]
unsafe fn put<V: Lanes>(row: [V; 4], to: *mut f32, point: usize) {
    // SAFETY: the caller's.
    unsafe {
        for j in 0..4 {
            row[j].store(to.add(j * point));
        }
    }
}

/// `A` times a column.
///
/// # Safety
/// The processor has the level of `V`.
#[inline(always)]
unsafe fn spread<V: Lanes>([a, b]: [V; 2]) -> [V; 4] {
    // SAFETY: the caller's.
    unsafe { [a, a.add(b), a.sub(b), V::splat(0.0).sub(b)] }
}
