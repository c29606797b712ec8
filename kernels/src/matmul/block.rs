//! The loops around the micro-kernel, for a block of `c` on one thread.
//!
//! After Goto and van de Geijn, "Anatomy of high-performance matrix multiplication", 2008, and Van Zee and van de
//! Geijn, "BLIS: a framework for rapidly instantiating BLAS functionality", 2015.

use std::ops::Range;

use super::ahead::Ahead;
use super::kernel::{DEPTH, Kernel, Left, MOST_ROWS, NARROW, Tile, WIDE};
use super::{Packed, Right, View, WriteMode, pack};
use crate::scratch;

/// Columns whose part of the right-hand side is packed at once: with `DEPTH`, half of an L2 cache.
const COLUMNS: usize = 512;
/// Tiles whose left-hand sides are packed at once.
const TILES: usize = 8;
/// The number of columns up to which a result is computed as the transpose of a product.
const FEW: usize = 4;

impl Right<'_> {
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::View(view) => view.rows,
            Self::Packed(packed) => packed.depth,
        }
    }

    pub(super) fn columns(&self) -> usize {
        match self {
            Self::View(view) => view.columns,
            Self::Packed(packed) => packed.columns,
        }
    }

    /// Where the rows of a panel are, and from one to the next, if it need not be packed for so many rows of `a`: it
    /// has been, or that would cost more than it saves.
    fn in_place(
        &self,
        panel: &Range<usize>,
        (start, depth): (usize, usize),
        rows: usize,
    ) -> Option<(*const f32, usize)> {
        /// Elements that stay in the L1 cache.
        const NEAR: usize = 8 << 10;
        /// Rows so short that the panels of a block of the depth fit together in the L2 cache.
        const TOGETHER: usize = 256;
        match self {
            Self::Packed(packed) => Some(packed.place(panel, (start, depth))),
            Self::View(b) => {
                let is_whole = b.column_stride == 1 && panel.len().is_multiple_of(NARROW);
                let is_near =
                    rows <= 2 * MOST_ROWS || depth * b.row_stride <= NEAR || b.row_stride <= TOGETHER;
                let place = start * b.row_stride + panel.start;
                (is_whole && is_near).then(|| (b.data[place..].as_ptr(), b.row_stride))
            }
        }
    }
}

/// The destination of a result: element (i, j) is at `i * row_stride + j * column_stride`.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) start: *mut f32,
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
}

// SAFETY: a target is only a pointer; its writers ensure that they have exclusive access.
unsafe impl Send for Target {}
// SAFETY: as above.
unsafe impl Sync for Target {}

/// The lengths of the blocks of a depth, but for the last, which may be shorter: a function of the depth alone, so
/// that every path computes the same sums.
pub(super) fn step(depth: usize) -> usize {
    let count = depth.div_ceil(DEPTH).max(1);
    depth.div_ceil(count).next_multiple_of(16).max(16)
}

/// The blocks of a depth: where each starts, and its length.
pub(super) fn steps(depth: usize) -> impl Iterator<Item = (usize, usize)> {
    let step = step(depth);
    (0..depth).step_by(step).map(move |start| (start, step.min(depth - start)))
}

/// The tiles of at most `TILES * K::ROWS` rows, each a first row and a number of rows: as few as possible, and of
/// nearly equal heights.
struct Tiles {
    tiles: [(usize, usize); TILES],
    count: usize,
}

impl Tiles {
    fn new<K: Kernel>(rows: &Range<usize>) -> Self {
        let count = rows.len().div_ceil(K::ROWS);
        let mut tiles = [(0, 0); TILES];
        let mut first = rows.start;
        for (number, tile) in tiles.iter_mut().take(count).enumerate() {
            let height = (rows.end - first).div_ceil(count - number);
            *tile = (first, height);
            first += height;
        }
        Self { tiles, count }
    }
}

/// Computes the block `rows` by `columns` of `c`, and calls `then` with each finished run of a row.
///
/// # Safety
/// The processor has the level of `K`. The operands have the sizes of their views in their data, and the block lies
/// in them. `c` contains the block, and it is not used elsewhere.
pub(super) unsafe fn run<K: Kernel>(
    a: &View<'_>,
    b: &Right<'_>,
    c: Target,
    (rows, columns): (Range<usize>, Range<usize>),
    onto: WriteMode,
    then: &impl Fn(usize, usize, &mut [f32]),
) {
    match b {
        Right::View(b) if columns.len() <= FEW && rows.len() > MOST_ROWS => {
            let swapped = Target { start: c.start, row_stride: c.column_stride, column_stride: c.row_stride };
            let (left, right) = (b.transposed(), Right::View(a.transposed()));
            let part = (columns.clone(), rows.clone());
            // SAFETY: as the caller promises; the transpose has the same elements.
            unsafe {
                run_wide::<K>(&left, &right, swapped, part, onto, &|_, _, _| ());
                finish(c, rows, &columns, then);
            }
        }
        // SAFETY: as the caller promises.
        Right::Packed(b) if rows.len() == 1 && b.depth > 0 && a.column_stride == 1 => unsafe {
            run_row::<K>(a, b, c, (rows, columns), onto, then);
        },
        // SAFETY: as the caller promises.
        _ => unsafe { run_wide::<K>(a, b, c, (rows, columns), onto, then) },
    }
}

/// Computes one row.
///
/// # Safety
/// That of [`run`]; elements of `a` and of `c` are contiguous, and there is a depth.
unsafe fn run_row<K: Kernel>(
    a: &View<'_>,
    b: &Packed<'_>,
    c: Target,
    (rows, columns): (Range<usize>, Range<usize>),
    onto: WriteMode,
    then: &impl Fn(usize, usize, &mut [f32]),
) {
    let row = rows.start;
    for (start, depth) in steps(b.depth) {
        let mut first = columns.start;
        while first < columns.end {
            let panel = first..columns.end.min(first + WIDE);
            let (b_start, b_stride) = b.place(&panel, (start, depth));
            let tile = Tile {
                rows: 1,
                columns: panel.len(),
                width: pack::width(panel.len()),
                depth,
                left: Left::Rows,
                a: a.data[row * a.row_stride + start..].as_ptr(),
                a_step: a.row_stride,
                b: b_start,
                b_stride,
                c: c.start.wrapping_add(row * c.row_stride + first),
                c_stride: c.row_stride,
                adds: onto == WriteMode::Accumulate || start > 0,
            };
            // SAFETY: the panels and the row are there, and the columns of `c` are the caller's.
            unsafe {
                if columns.end - first >= K::PANELS * WIDE {
                    K::row(&tile, depth * WIDE);
                    first += K::PANELS * WIDE;
                } else {
                    K::tile(&tile);
                    first = panel.end;
                }
            }
        }
    }
    // SAFETY: the block is the caller's, and nothing of it is in use.
    unsafe { finish(c, rows, &columns, then) };
}

/// # Safety
/// That of [`run`]; where columns of `c` have a stride, `then` is not called.
unsafe fn run_wide<K: Kernel>(
    a: &View<'_>,
    b: &Right<'_>,
    c: Target,
    (rows, columns): (Range<usize>, Range<usize>),
    onto: WriteMode,
    then: &impl Fn(usize, usize, &mut [f32]),
) {
    let depth = b.depth();
    let chunk = |first: usize| first..rows.end.min(first + TILES * K::ROWS);
    let left_room = TILES.min(rows.len().div_ceil(K::ROWS)) * pack::tile_room::<K>();
    let right_room = step(depth) * columns.len().min(COLUMNS).next_multiple_of(WIDE);
    scratch::with(left_room + right_room + 16, |packed| {
        // Vectors of the panels should not cross cache lines.
        let skipped = packed.as_ptr().align_offset(64).min(16);
        let (packed_b, packed_a) = packed[skipped..].split_at_mut(right_room);
        for first_column in columns.clone().step_by(COLUMNS) {
            let columns = first_column..columns.end.min(first_column + COLUMNS);
            if depth == 0 {
                // SAFETY: the block is the caller's.
                unsafe { nothing(c, &rows, &columns, onto) };
            }
            for part in steps(depth) {
                let (start, length) = part;
                let next = start + length..start + 2 * length;
                for first_row in rows.clone().step_by(TILES * K::ROWS) {
                    let tiles = Tiles::new::<K>(&chunk(first_row));
                    let tiles = &tiles.tiles[..tiles.count];
                    let left_is_near = pack::is_near(a, length);
                    if !left_is_near {
                        // SAFETY: the caller promises the level.
                        unsafe { pack::left::<K>(a, tiles, part, packed_a) };
                    }
                    let shares = tiles.len() * columns.len().div_ceil(WIDE);
                    let following = chunk(first_row + TILES * K::ROWS);
                    let mut left_ahead = if following.is_empty() {
                        Ahead::new(a, chunk(rows.start), next.clone(), shares)
                    } else {
                        Ahead::new(a, following, start..start + length, shares)
                    };
                    for first in columns.clone().step_by(WIDE) {
                        let panel = first..columns.end.min(first + WIDE);
                        let mut right_ahead = Ahead::nothing();
                        let (b_start, b_stride) = match b.in_place(&panel, part, rows.len()) {
                            Some(place) => place,
                            None => {
                                let packed_b = &mut packed_b[(first - columns.start) * length..];
                                if let (Right::View(b), true) = (b, first_row == rows.start) {
                                    // SAFETY: the caller promises the level.
                                    unsafe { pack::right::<K>(b, panel.clone(), part, packed_b) };
                                    right_ahead = if panel.end < columns.end {
                                        let following = panel.end..panel.end + WIDE;
                                        Ahead::new(b, start..start + length, following, tiles.len())
                                    } else {
                                        let following = columns.start..columns.start + WIDE;
                                        Ahead::new(b, next.clone(), following, tiles.len())
                                    };
                                }
                                (packed_b.as_ptr(), pack::width(panel.len()))
                            }
                        };
                        for (&(first, rows), packed_a) in
                            tiles.iter().zip(packed_a.chunks_exact(pack::tile_room::<K>()))
                        {
                            left_ahead.fetch::<K>();
                            right_ahead.fetch::<K>();
                            let (a_start, a_step) =
                                pack::place::<K>(a, left_is_near, (first, start), packed_a);
                            // SAFETY: the panel and the tile are there, and the tile of `c` is the caller's.
                            unsafe {
                                let tile = Tile {
                                    rows,
                                    columns: panel.len(),
                                    width: pack::width(panel.len()),
                                    depth: length,
                                    left: pack::order(a),
                                    a: a_start,
                                    a_step,
                                    b: b_start,
                                    b_stride,
                                    c: c.start.add(first * c.row_stride + panel.start * c.column_stride),
                                    c_stride: c.row_stride,
                                    adds: onto == WriteMode::Accumulate || start > 0,
                                };
                                compute::<K>(&tile, c.column_stride);
                            }
                        }
                    }
                    if start + length == depth {
                        // SAFETY: the block is the caller's, and nothing of it is in use.
                        unsafe { finish(c, chunk(first_row), &columns, then) };
                    }
                }
            }
            if depth == 0 {
                // SAFETY: the block is the caller's, and nothing of it is in use.
                unsafe { finish(c, rows.clone(), &columns, then) };
            }
        }
    });
}

/// Computes a tile whose columns have a stride in `c`.
///
/// # Safety
/// That of [`Kernel::tile`].
unsafe fn compute<K: Kernel>(tile: &Tile, column_stride: usize) {
    if column_stride == 1 {
        // SAFETY: as the caller promises.
        return unsafe { K::tile(tile) };
    }
    let mut sums = [0.0_f32; MOST_ROWS * WIDE];
    // SAFETY: the array has room for the tile; the elements of `c` are the caller's.
    unsafe {
        K::tile(&Tile { c: sums.as_mut_ptr(), c_stride: WIDE, adds: false, ..*tile });
        for row in 0..tile.rows {
            for column in 0..tile.columns {
                let c = tile.c.add(row * tile.c_stride + column * column_stride);
                let sum = sums[row * WIDE + column];
                *c = if tile.adds { *c + sum } else { sum };
            }
        }
    }
}

/// Calls `then` for each row of a block, if the rows are together.
///
/// # Safety
/// The block of `c` is the caller's, and nothing of it is in use.
unsafe fn finish(
    c: Target,
    rows: Range<usize>,
    columns: &Range<usize>,
    then: &impl Fn(usize, usize, &mut [f32]),
) {
    if c.column_stride == 1 {
        for row in rows {
            // SAFETY: this run is of the block.
            let run = unsafe {
                let start = c.start.add(row * c.row_stride + columns.start);
                std::slice::from_raw_parts_mut(start, columns.len())
            };
            then(row, columns.start, run);
        }
    }
}

/// A block of a product of depth 0.
///
/// # Safety
/// The block of `c` is the caller's.
unsafe fn nothing(c: Target, rows: &Range<usize>, columns: &Range<usize>, onto: WriteMode) {
    if onto == WriteMode::Overwrite {
        for row in rows.clone() {
            for column in columns.clone() {
                // SAFETY: the element is the caller's.
                unsafe { *c.start.add(row * c.row_stride + column * c.column_stride) = 0.0 };
            }
        }
    }
}
