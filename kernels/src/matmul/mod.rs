//! Matrix products.
//!
//! Every element of a result is the sum of its products in order: fused multiply-adds starting from 0 over a block
//! of the depth; the sums of the blocks are then added sequentially (the first overwrites the destination, unless
//! the product is accumulated). The blocks depend only on the depth. So an element depends only on its row and its
//! column: not on the sizes of the operands, strides, threads or the SIMD level, nor on
//! which of these functions computes it.
//!
//! ```
//! use trainspec_kernels::matmul::{WriteMode, View, product};
//!
//! let (a, b) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]);
//! let mut c = [0.0; 4];
//! product(View::new(&a, 2, 2), View::new(&b, 2, 2), &mut c, WriteMode::Overwrite);
//! assert_eq!(c, [19.0, 22.0, 43.0, 50.0]);
//! product(View::new(&a, 2, 2).transposed(), View::new(&b, 2, 2), &mut c, WriteMode::Accumulate);
//! assert_eq!(c, [19.0 + 26.0, 22.0 + 30.0, 43.0 + 38.0, 50.0 + 44.0]);
//! ```

mod ahead;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod block;
mod columns;
mod kernel;
mod pack;
mod packed;
mod portable;

#[cfg(test)]
mod tests;

pub use columns::column_sums;
pub use packed::{Packed, PackedMatrix};

use std::ops::Range;

use crate::simd::{Level, level};
use crate::threads;
use block::Target;

/// A matrix inside a slice, with any strides.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The data; element (i, j) is at `i * row_stride + j * column_stride`.
    pub data: &'a [f32],
    /// The number of rows.
    pub rows: usize,
    /// The number of columns.
    pub columns: usize,
    /// The distance from a row to the next.
    pub row_stride: usize,
    /// The distance from a column to the next.
    pub column_stride: usize,
}

impl<'a> View<'a> {
    /// A matrix with contiguous rows.
    #[must_use]
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// A matrix whose rows start `stride` elements apart.
    #[must_use]
    pub fn with_stride(data: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        Self { data, rows, columns, row_stride: stride, column_stride: 1 }
    }

    /// The transposed matrix, on the same data.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self {
            data: self.data,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }

    /// Checks that the data contains all elements.
    fn check(&self, name: &str) {
        if self.rows > 0 && self.columns > 0 {
            let last = ((self.rows - 1).checked_mul(self.row_stride))
                .zip((self.columns - 1).checked_mul(self.column_stride))
                .and_then(|(row, column)| row.checked_add(column));
            assert!(last.is_some_and(|last| last < self.data.len()), "{name} lies in its data");
        }
    }
}

/// The right-hand side of a product.
#[derive(Clone, Copy, Debug)]
pub enum Right<'a> {
    /// A matrix, which is packed as it is used.
    View(View<'a>),
    /// A matrix that has been packed. The result has the same bits.
    Packed(Packed<'a>),
}

impl<'a> From<View<'a>> for Right<'a> {
    fn from(view: View<'a>) -> Self {
        Self::View(view)
    }
}

impl<'a> From<Packed<'a>> for Right<'a> {
    fn from(packed: Packed<'a>) -> Self {
        Self::Packed(packed)
    }
}

/// How a result is written to its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// Overwrites the destination, which is not read.
    Overwrite,
    /// Adds to the destination.
    Accumulate,
}

/// `c = a b`, or `c += a b`, on the caller's thread; rows of `c` start `stride` elements apart.
///
/// # Panics
/// If the sizes do not match, or a slice is too short.
pub fn serial(a: View<'_>, b: View<'_>, c: &mut [f32], stride: usize, onto: WriteMode) {
    b.check("b");
    let (rows, columns) = (a.rows, b.columns);
    let c = target(&a, &Right::View(b), c, stride);
    // SAFETY: `target` and `check` ensure that everything is inside its slice, and `c` is borrowed exclusively.
    unsafe { run(&a, &Right::View(b), c, (0..rows, 0..columns), onto, &|_, _, _| ()) };
}

/// `c = a b`, or `c += a b`, on all threads; the rows of `c` are contiguous.
///
/// # Panics
/// If the sizes do not match, or a slice is too short.
pub fn product<'b>(a: View<'_>, b: impl Into<Right<'b>>, c: &mut [f32], onto: WriteMode) {
    product_then(a, b, c, onto, |_, _, _| ());
}

/// [`product`], which calls `then` for every run of a row of `c` as soon as it is finished, with the index of the row and
/// that of the run's first column, on the thread that computed it. The runs contain every element once.
///
/// # Panics
/// As [`product`].
pub fn product_then<'b>(
    a: View<'_>,
    b: impl Into<Right<'b>>,
    c: &mut [f32],
    onto: WriteMode,
    then: impl Fn(usize, usize, &mut [f32]) + Sync,
) {
    let b = b.into();
    if let Right::View(b) = &b {
        b.check("b");
    }
    let (rows, columns) = (a.rows, b.columns());
    let c = target(&a, &b, c, columns);
    let (height, width) = blocks(rows, columns, a.columns);
    let across = columns.div_ceil(width);
    threads::for_each(rows.div_ceil(height) * across, |number| {
        let (row, column) = (number / across * height, number % across * width);
        let part = (row..rows.min(row + height), column..columns.min(column + width));
        // SAFETY: `target` and `check` ensure that everything is inside its slice; `c` is borrowed exclusively, and each
        // block is computed once.
        unsafe { run(&a, &b, c, part, onto, &then) };
    });
}

/// The heights and widths of the blocks of a result that threads compute.
///
/// They may depend on the number of threads, unlike everything else here: an element's sum does not depend on how the
/// result is split.
fn blocks(rows: usize, columns: usize, depth: usize) -> (usize, usize) {
    /// The number of multiplications that makes another thread worthwhile.
    const WORK: usize = 1 << 20;
    /// The largest block.
    const LARGEST: usize = 512;
    // Two per thread, so that a late thread has less to catch up; more blocks would be smaller, and pack more.
    let wanted = 2 * threads::count().max(2);
    let even = |size: usize, most: usize, unit: usize| {
        let count = size.div_ceil(most).max(1);
        size.div_ceil(count).next_multiple_of(unit).max(unit)
    };
    let (mut height, mut width) = (even(rows, LARGEST, 1), even(columns, LARGEST, 32));
    loop {
        let count = rows.div_ceil(height) * columns.div_ceil(width);
        let work = height.saturating_mul(width).saturating_mul(depth);
        if count >= wanted || work < 2 * WORK {
            return (height, width);
        }
        // The right-hand side is packed for every block of rows, the left-hand side, which costs less, for every block
        // of columns.
        if width >= 128 && 2 * width > height {
            width = even(width, width / 2, 32);
        } else if height >= 64 {
            height = height.div_ceil(2);
        } else {
            return (height, width);
        }
    }
}

/// Checks the sizes; returns the target of the result.
fn target(a: &View<'_>, b: &Right<'_>, c: &mut [f32], stride: usize) -> Target {
    a.check("a");
    assert_eq!(a.columns, b.depth(), "a has as many columns as b has rows");
    let (rows, columns) = (a.rows, b.columns());
    if rows > 0 && columns > 0 {
        assert!(rows == 1 || stride >= columns, "rows of c do not overlap");
        let last = (rows - 1).checked_mul(stride).and_then(|row| row.checked_add(columns));
        assert!(last.is_some_and(|last| last <= c.len()), "c has room for the result");
    }
    Target { start: c.as_mut_ptr(), row_stride: stride, column_stride: 1 }
}

/// Runs a block at the level of this thread.
///
/// # Safety
/// The operands have the sizes of their views in their data, and the block lies in them. `c` contains the block, and it is
/// not used elsewhere.
unsafe fn run(
    a: &View<'_>,
    b: &Right<'_>,
    c: Target,
    part: (Range<usize>, Range<usize>),
    onto: WriteMode,
    then: &impl Fn(usize, usize, &mut [f32]),
) {
    if part.0.is_empty() || part.1.is_empty() {
        return;
    }
    // SAFETY: as the caller promises; `level` returns a level only if the processor was detected to support it.
    unsafe {
        match level() {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => block::run::<avx512::Avx512>(a, b, c, part, onto, then),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => block::run::<avx2::Avx2>(a, b, c, part, onto, then),
            _ => block::run::<portable::Portable>(a, b, c, part, onto, then),
        }
    }
}
