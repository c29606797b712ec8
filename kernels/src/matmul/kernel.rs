//! The interface of a micro-kernel, which computes a tile of `c` in registers over one block of the depth.

/// Columns of a panel of the right-hand side.
pub(super) const WIDE: usize = 32;
/// Columns of its last panel if that is enough.
pub(super) const NARROW: usize = 16;
/// The longest block of the depth.
pub(super) const DEPTH: usize = 256;
/// The distance between rows of a packed left-hand side: not a power of 2, so that rows map to different cache
/// sets.
pub(super) const A_STRIDE: usize = DEPTH + 16;
/// The maximum number of rows of a tile at any level.
pub(super) const MOST_ROWS: usize = 14;

/// The layout of the left-hand side of a tile.
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
/// The memory that it describes: `a` has `rows` rows of `depth` elements, in the layout of `left`; `b` has `depth` rows of
/// `width` elements, `b_stride` apart; `c` has `rows` rows of `columns` elements, `c_stride` apart, which nothing else
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
    /// The distance between rows of `a` in [`Left::Rows`], and between columns in [`Left::Columns`].
    pub(super) a_step: usize,
    pub(super) b: *const f32,
    pub(super) b_stride: usize,
    pub(super) c: *mut f32,
    pub(super) c_stride: usize,
    pub(super) adds: bool,
}

/// A micro-kernel of a SIMD level.
pub(super) trait Kernel {
    /// The maximum number of rows of a tile.
    const ROWS: usize;
    /// The distance between columns of a left-hand side in [`Left::Columns`].
    const LANES: usize;
    /// The number of panels of [`Kernel::row`].
    const PANELS: usize = 1;

    /// Computes a tile.
    ///
    /// # Safety
    /// The processor has the level, and the tile has the memory that it describes.
    unsafe fn tile(tile: &Tile);

    /// Computes a row of [`Kernel::PANELS`] panels, `apart` elements from one to the next. The sums of one panel of one row are
    /// so few that each addition would wait for the one before.
    ///
    /// # Safety
    /// As [`Kernel::tile`], for a tile of one row in [`Left::Rows`] and `WIDE` columns, which is that of the first panel; the
    /// columns of the others in `c` follow.
    unsafe fn row(tile: &Tile, _apart: usize) {
        // SAFETY: with one panel, it is the tile.
        unsafe { Self::tile(tile) }
    }

    /// Prefetches the cache line at `place`, if there is one, into the L2 cache.
    fn fetch(_place: *const f32) {}

    /// Packs the left-hand sides of tiles, each a first row and a number of rows, in [`Left::Columns`], `room` elements
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

    /// Packs a panel of a right-hand side with contiguous columns: `depth` rows of `width`
    /// elements, with unspecified padding after the last column.
    ///
    /// # Safety
    /// The processor has the level; `from` has `columns` columns of `depth` elements, `stride` apart; `into` has room
    /// for `depth * width` elements; `width` is a multiple of 16 that is less than 16 more than `columns`.
    unsafe fn transpose(
        from: *const f32,
        stride: usize,
        columns: usize,
        depth: usize,
        into: *mut f32,
        width: usize,
    );
}
