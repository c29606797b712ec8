//! Copies of operands in the order in which the micro-kernel reads them.

use super::View;
use super::kernel::{A_STRIDE, DEPTH, Kernel, Left, NARROW, WIDE};

/// Room for the left-hand side of a tile.
pub(super) const fn tile_room<K: Kernel>() -> usize {
    let (rows, columns) = (K::ROWS * A_STRIDE, K::LANES * DEPTH);
    if rows > columns { rows } else { columns }
}

/// How the left-hand side is packed: in the order that it has.
pub(super) fn order(a: &View<'_>) -> Left {
    if a.column_stride == 1 { Left::Rows } else { Left::Columns }
}

/// Packs rows `rows` of `a`, a tile after the other, with `depth` of their numbers from `start` on. The tiles begin at
/// the rows that `tiles` gives and end where the next begins.
pub(super) fn left<K: Kernel>(
    a: &View<'_>,
    tiles: impl Iterator<Item = (usize, usize)> + Clone,
    (start, depth): (usize, usize),
    into: &mut [f32],
) {
    let rooms = into.chunks_exact_mut(tile_room::<K>());
    match order(a) {
        Left::Rows => {
            for ((first, rows), room) in tiles.zip(rooms) {
                for (row, into) in (first..first + rows).zip(room.chunks_exact_mut(A_STRIDE)) {
                    into[..depth].copy_from_slice(&a.data[row * a.row_stride + start..][..depth]);
                }
            }
        }
        Left::Columns if a.row_stride == 1 => {
            for at in 0..depth {
                let column = (start + at) * a.column_stride;
                for ((first, rows), room) in tiles.clone().zip(into.chunks_exact_mut(tile_room::<K>())) {
                    let from = &a.data[column + first..];
                    let into = &mut room[at * K::LANES..][..K::LANES];
                    if from.len() >= K::LANES {
                        into.copy_from_slice(&from[..K::LANES]);
                    } else {
                        into[..rows].copy_from_slice(&from[..rows]);
                    }
                }
            }
        }
        Left::Columns => {
            for ((first, rows), room) in tiles.zip(rooms) {
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

/// Packs the panel of `columns` columns of `b` from `first` on, with `depth` rows from `start` on: rows of
/// [`width`] numbers, which end in zeros.
///
/// # Safety
/// The processor has the level of `K`.
pub(super) unsafe fn right<K: Kernel>(
    b: &View<'_>,
    (first, columns): (usize, usize),
    (start, depth): (usize, usize),
    into: &mut [f32],
) {
    let width = width(columns);
    assert!(into.len() >= depth * width && columns <= WIDE, "room for a panel");
    let origin = start * b.row_stride + first * b.column_stride;
    if b.column_stride == 1 {
        let rows = into.chunks_exact_mut(width).take(depth).enumerate();
        if columns == WIDE {
            for (row, into) in rows {
                into.copy_from_slice(&b.data[origin + row * b.row_stride..][..WIDE]);
            }
        } else {
            for (row, into) in rows {
                into[..columns].copy_from_slice(&b.data[origin + row * b.row_stride..][..columns]);
                into[columns..].fill(0.0);
            }
        }
    } else if b.row_stride == 1 {
        assert!(
            depth == 0 || origin + (columns - 1) * b.column_stride + depth <= b.data.len(),
            "b has these"
        );
        // SAFETY: as asserted; the caller promises the level.
        unsafe {
            let from = b.data.as_ptr().add(origin);
            K::transpose(from, b.column_stride, columns, depth, into.as_mut_ptr(), width);
        }
    } else {
        for (row, into) in into.chunks_exact_mut(width).take(depth).enumerate() {
            for (column, into) in into.iter_mut().enumerate() {
                let place = origin + row * b.row_stride + column * b.column_stride;
                *into = if column < columns { b.data[place] } else { 0.0 };
            }
        }
    }
}
