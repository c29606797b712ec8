//! Copies of operands in the order in which the micro-kernel reads them.

use std::ops::Range;

use super::View;
use super::kernel::{A_STRIDE, DEPTH, Kernel, Left, NARROW, WIDE};
use crate::simd;

/// The buffer size of the left-hand side of a tile.
pub(super) const fn tile_room<K: Kernel>() -> usize {
    let (rows, columns) = (K::ROWS * A_STRIDE, K::LANES * DEPTH);
    // Also not a power of 2.
    (if rows > columns { rows } else { columns }) + 16
}

/// How the left-hand side is packed: in its own order.
pub(super) fn order(a: &View<'_>) -> Left {
    if a.column_stride == 1 { Left::Rows } else { Left::Columns }
}

/// Whether the left-hand side, with `depth` columns, is best read without packing.
pub(super) fn is_near(a: &View<'_>, depth: usize) -> bool {
    /// Elements that take half of the L1 cache.
    const NEAR: usize = 4 << 10;
    /// Rows about a multiple of it apart share sets of the L1 cache.
    const PERIOD: usize = 512;
    match order(a) {
        Left::Rows => {
            let after = a.row_stride % PERIOD;
            a.row_stride <= PERIOD || after.min(PERIOD - after) >= 32
        }
        Left::Columns => a.row_stride == 1 && depth * a.column_stride <= NEAR,
    }
}

/// Where the left-hand side of a tile is: if it [`is_near`], in `a`, with rows from `first` on and columns from `start`
/// on, else in `packed`; and the distance between rows or columns.
pub(super) fn place<K: Kernel>(
    a: &View<'_>,
    is_near: bool,
    (first, start): (usize, usize),
    packed: &[f32],
) -> (*const f32, usize) {
    let own = &a.data[if is_near { first * a.row_stride + start * a.column_stride } else { 0 }..];
    match (is_near, order(a)) {
        (true, Left::Rows) => (own.as_ptr(), a.row_stride),
        (true, Left::Columns) => (own.as_ptr(), a.column_stride),
        (false, Left::Rows) => (packed.as_ptr(), A_STRIDE),
        (false, Left::Columns) => (packed.as_ptr(), K::LANES),
    }
}

/// Packs tiles of `a`, each a first row and a number of rows, with `depth` of their elements from `start` on.
///
/// # Safety
/// The processor has the level of `K`.
pub(super) unsafe fn left<K: Kernel>(
    a: &View<'_>,
    tiles: &[(usize, usize)],
    (start, depth): (usize, usize),
    into: &mut [f32],
) {
    let rooms = tiles.iter().zip(into.chunks_exact_mut(tile_room::<K>()));
    match order(a) {
        Left::Rows => {
            for (&(first, rows), room) in rooms {
                for (row, into) in (first..first + rows).zip(room.chunks_exact_mut(A_STRIDE)) {
                    into[..depth].copy_from_slice(&a.data[row * a.row_stride + start..][..depth]);
                }
            }
        }
        Left::Columns if a.row_stride == 1 => {
            let from = &a.data[start * a.column_stride..];
            let room = tile_room::<K>();
            let last = tiles.last().map_or(0, |(first, rows)| first + rows);
            assert!(tiles.len() * room <= into.len() && depth * K::LANES <= room, "room for tiles");
            assert!(
                tiles.iter().all(|tile| tile.1 <= K::ROWS && tile.0 + tile.1 <= last),
                "tiles are in order"
            );
            assert!((depth - 1) * a.column_stride + last <= from.len(), "a has these");
            // SAFETY: as asserted; the caller promises the level.
            unsafe { K::columns(from.as_ptr(), a.column_stride, tiles, depth, into.as_mut_ptr(), room) };
        }
        Left::Columns => {
            for (&(first, rows), room) in rooms {
                for at in 0..depth {
                    for row in 0..rows {
                        room[at * K::LANES + row] =
                            a.data[(first + row) * a.row_stride + (start + at) * a.column_stride];
                    }
                }
            }
        }
    }
}

/// The width of a panel of `columns` columns.
pub(super) const fn width(columns: usize) -> usize {
    if columns <= NARROW { NARROW } else { WIDE }
}

/// Packs the panel of the columns `columns` of `b`, with `depth` rows from `start` on: rows of [`width`] elements, with
/// unspecified padding after the last column.
///
/// # Safety
/// The processor has the level of `K`.
pub(super) unsafe fn right<K: Kernel>(
    b: &View<'_>,
    columns: Range<usize>,
    (start, depth): (usize, usize),
    into: &mut [f32],
) {
    let from = &b.data[start * b.row_stride + columns.start * b.column_stride..];
    let (columns, width) = (columns.len(), width(columns.len()));
    let into = &mut into[..depth * width];
    if b.column_stride == 1 {
        copy_rows(from, b.row_stride, columns, into);
    } else if b.row_stride == 1 {
        assert!((columns - 1) * b.column_stride + depth <= from.len(), "b has these");
        // SAFETY: as asserted, and `width` is wide enough; the caller promises the level.
        unsafe { K::transpose(from.as_ptr(), b.column_stride, columns, depth, into.as_mut_ptr(), width) };
    } else {
        for (row, into) in into.chunks_exact_mut(width).enumerate() {
            for (column, into) in into.iter_mut().enumerate().take(columns) {
                *into = from[row * b.row_stride + column * b.column_stride];
            }
        }
    }
}

simd! {
    /// A panel of a right-hand side whose rows are in order.
    fn copy_rows(from: &[f32], stride: usize, columns: usize, into: &mut [f32]) {
        if columns == WIDE {
            for (row, into) in into.as_chunks_mut::<WIDE>().0.iter_mut().enumerate() {
                if let Some(from) = from[row * stride..].first_chunk() {
                    *into = *from;
                }
            }
        } else {
            for (row, into) in into.chunks_exact_mut(width(columns)).enumerate() {
                into[..columns].copy_from_slice(&from[row * stride..][..columns]);
            }
        }
    }
}
