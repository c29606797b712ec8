//! How rows of results are split into vectors.

use crate::scratch;

/// Elements per strip. Two strips are a vector, at every SIMD level.
pub(super) const STRIP: usize = 8;

/// Up to eight adjacent elements in a row of results.
#[derive(Clone, Copy)]
pub(super) struct Strip {
    /// The start in a plane of the source.
    pub(super) base: u32,
    /// The start in a plane of results.
    pub(super) place: u32,
    /// How many there are.
    pub(super) count: u32,
}

/// All strips of a plane of results, in pairs.
#[derive(Clone, Copy)]
pub(super) struct Strips<'a> {
    table: &'a [[u32; 3]],
    /// Whether the two strips of a vector are always adjacent in the source.
    pub(super) wide: bool,
    /// The number of elements of a plane of results.
    pub(super) plane: usize,
    /// The end of the last strip in the source, whether full or not.
    pub(super) reach: usize,
}

impl<'a> Strips<'a> {
    /// Whether vectors lie along rows of `columns`, and the number of strips per row.
    fn of_a_row((rows, columns): (usize, usize)) -> (bool, usize) {
        let (vectors, strips) = (columns.div_ceil(2 * STRIP), columns.div_ceil(STRIP));
        // Along rows, unless single strips need fewer vectors.
        if rows <= 1 || 2 * vectors == strips { (true, 2 * vectors) } else { (false, strips) }
    }

    /// The number of strips of a plane of `size`, rows and columns.
    pub(super) fn count(size: (usize, usize)) -> usize {
        (size.0 * Self::of_a_row(size).1).next_multiple_of(2)
    }

    /// Splits a plane of `size`, rows and columns, of which element `(i, j)` is at `first + i * pitch + j` in
    /// the source.
    pub(super) fn cut(table: &mut [[u32; 3]], size: (usize, usize), first: usize, pitch: usize) {
        let ((rows, columns), (_, a_row)) = (size, Self::of_a_row(size));
        for (number, strip) in table.iter_mut().enumerate() {
            // An odd number is padded with an empty strip.
            let row = (number / a_row).min(rows - 1);
            let column = number % a_row * STRIP;
            let left = if number < rows * a_row { columns.saturating_sub(column) } else { 0 };
            let base = first + row * pitch + column;
            let place = if left == 0 { 0 } else { row * columns + column };
            *strip = [base as u32, place as u32, left.min(STRIP) as u32];
        }
    }

    /// The strips of [`Strips::cut`] for a plane of `size`.
    pub(super) fn of(table: &'a [[u32; 3]], size: (usize, usize)) -> Self {
        let (rows, columns) = size;
        let inside = |[_, place, count]: &[u32; 3]| (place + count) as usize <= rows * columns;
        assert!(
            table.len().is_multiple_of(2) && table.iter().all(inside),
            "strips are inside of their plane"
        );
        let reach = table.iter().map(|[base, ..]| *base as usize + STRIP).max().unwrap_or(0);
        Self { table, wide: Self::of_a_row(size).0, plane: rows * columns, reach }
    }

    /// Passes `run` the strips of a plane that starts with the source.
    pub(super) fn with<R>(size: (usize, usize), pitch: usize, run: impl FnOnce(Strips<'_>) -> R) -> R {
        scratch::with(3 * Self::count(size), |room| {
            let table = bytemuck::cast_slice_mut(room);
            Self::cut(table, size, 0, pitch);
            run(Strips::of(table, size))
        })
    }

    /// Whether the consecutive vectors are exactly the plane.
    pub(super) fn are_the_plane(&self) -> bool {
        self.table.len() * STRIP == self.plane
    }

    /// The number of vectors.
    pub(super) fn vectors(&self) -> usize {
        self.table.len() / 2
    }

    /// The strips of a vector.
    ///
    /// # Safety
    /// There is that vector.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
    pub(super) unsafe fn vector(&self, vector: usize) -> [Strip; 2] {
        // SAFETY: the caller's.
        let [first, second] = unsafe { self.table.as_ptr().add(2 * vector).cast::<[[u32; 3]; 2]>().read() };
        let strip = |[base, place, count]: [u32; 3]| Strip { base, place, count };
        [strip(first), strip(second)]
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
    pub(super) fn get(&self, number: usize) -> Strip {
        let [base, place, count] = self.table[number];
        Strip { base, place, count }
    }
}
