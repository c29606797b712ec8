//! What a micro-kernel is: a tile of `c`, in registers over one block of the depth.

/// Columns of a panel of the right-hand side.
pub(super) const WIDE: usize = 32;
/// Columns of its last panel if that is enough.
pub(super) const NARROW: usize = 16;
/// The longest block of the depth.
pub(super) const DEPTH: usize = 256;
/// From a row of a packed left-hand side to the next: not a power of 2, so that rows have sets of the cache of
/// their own.
pub(super) const A_STRIDE: usize = DEPTH + 16;
/// The most rows of a tile at any level.
pub(super) const MOST_ROWS: usize = 14;

/// How the left-hand side of a tile lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Row by row.
    Rows,
    /// Column by column.
    Columns,
}

/// `c = a b` or `c += a b` for a tile: every element is the sum of its products in their order, each fused with
/// the addition, from 0 on; it is added to `c` at the end.
///
/// The memory that it speaks of: `a` has `rows` rows of `depth` numbers, as `left` says; `b` has `depth` rows of
/// `width` numbers, `b_stride` apart; `c` has `rows` rows of `columns` numbers, `c_stride` apart, which nobody else
/// uses. `rows` is from 1 to [`Kernel::ROWS`], `width` is `WIDE` or `NARROW`, and `columns` is at most `width` and more
/// than `width - 16`.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) width: usize,
    pub(super) depth: usize,
    pub(super) left: Left,
    pub(super) a: *const f32,
    /// From a row of `a` to the next in [`Left::Rows`], and from a column to the next in [`Left::Columns`].
    pub(super) a_step: usize,
    pub(super) b: *const f32,
    pub(super) b_stride: usize,
    pub(super) c: *mut f32,
    pub(super) c_stride: usize,
    pub(super) adds: bool,
}

/// A micro-kernel of a SIMD level.
pub(super) trait Kernel {
    /// The most rows of a tile.
    const ROWS: usize;
    /// From a column of a left-hand side in [`Left::Columns`] to the next.
    const LANES: usize;

    /// Computes a tile.
    ///
    /// # Safety
    /// The processor has the level, and the tile has the memory that it speaks of.
    unsafe fn tile(tile: &Tile);

    /// Brings the line of the cache at `place`, if there is one, to the second level.
    fn fetch(_place: *const f32) {}

    /// Packs the left-hand sides of tiles, each a first row and a number of rows, in [`Left::Columns`], `room` numbers
    /// apart.
    ///
    /// # Safety
    /// The processor has the level; `from` has `depth` columns, `stride` apart, of the rows of all tiles; `into` has room
    /// for all tiles, and `room` is at least `depth * LANES`; a tile has at most `ROWS` rows.
    unsafe fn columns(
        from: *const f32,
        stride: usize,
        tiles: &[(usize, usize)],
        depth: usize,
        into: *mut f32,
        room: usize,
    );

    /// Packs a panel of a right-hand side of which the columns lie one after the other: `depth` rows of `width`
    /// numbers, which end in anything after the last column.
    ///
    /// # Safety
    /// The processor has the level; `from` has `columns` columns of `depth` numbers, `stride` apart; `into` has room
    /// for `depth * width` numbers; `width` is a multiple of 16 that is less than 16 more than `columns`.
    unsafe fn transpose(
        from: *const f32,
        stride: usize,
        columns: usize,
        depth: usize,
        into: *mut f32,
        width: usize,
    );
}
