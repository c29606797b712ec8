//! A packed right-hand side, reused by many products.

use std::ops::Range;

use super::block::steps;
use super::kernel::{Kernel, NARROW, WIDE};
use super::{Right, View, WriteMode, pack, run, target};
use crate::simd::{Level, level};

/// A right-hand side `[k, n]` that is packed once for many products, in a slice of the caller.
///
/// ```
/// use trainspec_kernels::matmul::{WriteMode, Packed, View};
///
/// let b = View::new(&[1.0, 2.0, 3.0, 4.0], 2, 2);
/// let mut room = vec![0.0; Packed::size(2, 2)];
/// let packed = Packed::new(b, &mut room);
/// let mut c = [0.0; 2];
/// packed.serial(View::new(&[1.0, 10.0], 1, 2), &mut c, 2, WriteMode::Overwrite);
/// assert_eq!(c, [31.0, 42.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a> {
    pub(super) depth: usize,
    /// The first column, and the number of columns.
    first: usize,
    pub(super) columns: usize,
    /// The columns that have been packed.
    all: usize,
    /// For each block of the depth, panels of 32 columns, the last of 16 if that is enough. The rows of a panel are
    /// contiguous, with unspecified padding. The layout does not depend on the SIMD level.
    data: &'a [f32],
}

/// A [`Packed`] right-hand side that owns its elements, to be kept.
///
/// ```
/// use trainspec_kernels::matmul::{PackedMatrix, View, WriteMode, product};
///
/// let b = PackedMatrix::new(View::new(&[1.0, 2.0, 3.0, 4.0], 2, 2));
/// let mut c = [0.0; 2];
/// product(View::new(&[1.0, 10.0], 1, 2), b.packed(), &mut c, WriteMode::Overwrite);
/// assert_eq!(c, [31.0, 42.0]);
/// ```
#[derive(Debug)]
pub struct PackedMatrix {
    depth: usize,
    columns: usize,
    room: Vec<f32>,
    /// The unused elements at the start of `room`, which does not move.
    skipped: usize,
}

impl PackedMatrix {
    /// Packs a copy of `b`.
    ///
    /// # Panics
    /// If the data of `b` does not contain all its elements.
    #[must_use]
    pub fn new(b: View<'_>) -> Self {
        let (depth, columns) = (b.rows, b.columns);
        let mut room = vec![0.0; Packed::size(depth, columns)];
        let skipped = room.len() - Packed::new(b, &mut room).data.len();
        Self { depth, columns, room, skipped }
    }

    /// The number of rows and of columns.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        [self.depth, self.columns]
    }

    /// The right-hand side.
    #[must_use]
    pub fn packed(&self) -> Packed<'_> {
        let Self { depth, columns, ref room, skipped } = *self;
        Packed { depth, first: 0, columns, all: columns, data: &room[skipped..] }
    }
}

impl<'a> Packed<'a> {
    /// The number of elements of a packed right-hand side of `depth` rows and `columns` columns.
    #[must_use]
    pub fn size(depth: usize, columns: usize) -> usize {
        depth * columns.next_multiple_of(NARROW) + NARROW
    }

    /// Packs `b` into `room`.
    ///
    /// # Panics
    /// If the data of `b` does not contain all its elements, or `room` does not have [`Packed::size`] elements.
    pub fn new(b: View<'_>, room: &'a mut [f32]) -> Self {
        b.check("b");
        let (depth, columns) = (b.rows, b.columns);
        assert_eq!(room.len(), Self::size(depth, columns), "room for the packed right-hand side");
        // Vectors should not cross cache lines.
        let skipped = room.as_ptr().align_offset(64).min(NARROW);
        let room = &mut room[skipped..];
        match level() {
            // SAFETY: `level` returns a level only if the processor was detected to support it.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { fill::<super::avx512::Avx512>(&b, room) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { fill::<super::avx2::Avx2>(&b, room) },
            // SAFETY: every processor has this level.
            _ => unsafe { fill::<super::portable::Portable>(&b, room) },
        }
        Self { depth, first: 0, columns, all: columns, data: room }
    }

    /// Some of the columns.
    ///
    /// # Panics
    /// If `columns` does not start at a multiple of 32, or ends neither at one nor with the last column.
    #[must_use]
    pub fn part(&self, columns: Range<usize>) -> Self {
        let ends =
            columns.end == self.columns || columns.end.is_multiple_of(WIDE) && columns.end < self.columns;
        assert!(columns.start.is_multiple_of(WIDE) && columns.start <= columns.end && ends, "whole panels");
        Self { first: self.first + columns.start, columns: columns.len(), ..*self }
    }

    /// Where the rows of a panel of a block of the depth are, and from one to the next.
    pub(super) fn place(&self, panel: &Range<usize>, (start, depth): (usize, usize)) -> (*const f32, usize) {
        let place = start * self.all.next_multiple_of(NARROW) + (self.first + panel.start) * depth;
        (self.data[place..].as_ptr(), pack::width(panel.len()))
    }

    /// `c = a b`, or `c += a b`, on the caller's thread; rows of `c` start `stride` elements apart.
    ///
    /// # Panics
    /// If the sizes do not match, or a slice is too short.
    pub fn serial(&self, a: View<'_>, c: &mut [f32], stride: usize, onto: WriteMode) {
        let b = Right::Packed(*self);
        let c = target(&a, &b, c, stride);
        // SAFETY: `target` has seen that all lies in its slice, and `c` is borrowed exclusively.
        unsafe { run(&a, &b, c, (0..a.rows, 0..self.columns), onto, &|_, _, _| ()) };
    }
}

/// # Safety
/// The processor has the level of `K`.
unsafe fn fill<K: Kernel>(b: &View<'_>, room: &mut [f32]) {
    for (start, length) in steps(b.rows) {
        for first in (0..b.columns).step_by(WIDE) {
            let room = &mut room[start * b.columns.next_multiple_of(NARROW) + first * length..];
            // SAFETY: as the caller promises.
            unsafe { pack::right::<K>(b, first..b.columns.min(first + WIDE), (start, length), room) };
        }
    }
}
