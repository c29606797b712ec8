//! How rows of results are cut into vectors.

use crate::scratch;

/// Numbers of a strip. Two strips are a vector, at every SIMD level.
pub(super) const STRIP: usize = 8;

/// Up to eight neighbours in a row of results.
#[derive(Clone, Copy)]
pub(super) struct Strip {
    /// Where they begin in a plane of the source.
    pub(super) base: u32,
    /// Where they begin in a plane of results.
    pub(super) place: u32,
    /// How many there are.
    pub(super) count: u32,
}

/// All strips of a plane of results, two by two.
#[derive(Clone, Copy)]
pub(super) struct Strips<'a> {
    table: &'a [[u32; 3]],
    /// Whether the two strips of a vector are neighbours in the source, always.
    pub(super) wide: bool,
    /// The numbers of a plane of results.
    pub(super) plane: usize,
    /// The end of the last strip in the source, full or not.
    pub(super) reach: usize,
}

impl Strips<'_> {
    /// Cuts a plane of `rows` rows and `columns` columns, of which element `(i, j)` begins at
    /// `first + i * pitch + j` in the source.
    pub(super) fn with<R>(
        (rows, columns): (usize, usize),
        first: usize,
        pitch: usize,
        run: impl FnOnce(Strips<'_>) -> R,
    ) -> R {
        let vectors = columns.div_ceil(2 * STRIP);
        // Vectors along a row, unless single strips need fewer.
        let wide = 2 * vectors == columns.div_ceil(STRIP).max(1) || rows <= 1;
        let a_row = if wide { 2 * vectors } else { columns.div_ceil(STRIP) };
        let count = (rows * a_row).next_multiple_of(2);
        scratch::with(3 * count, |room| {
            let table: &mut [[u32; 3]] = bytemuck::cast_slice_mut(room);
            let mut reach = 0;
            for (number, strip) in table.iter_mut().enumerate() {
                // One more for an odd number: it has no elements.
                let row = (number / a_row.max(1)).min(rows.saturating_sub(1));
                let column = number % a_row.max(1) * STRIP;
                let left = if number < rows * a_row { columns.saturating_sub(column) } else { 0 };
                let base = first + row * pitch + column;
                reach = reach.max(base + STRIP);
                let place = if left == 0 { 0 } else { row * columns + column };
                *strip = [base as u32, place as u32, left.min(STRIP) as u32];
            }
            run(Strips { table, wide, plane: rows * columns, reach })
        })
    }

    /// The number of vectors.
    pub(super) fn vectors(&self) -> usize {
        self.table.len() / 2
    }

    /// Where the strips of a vector begin in the source; `pass` 1 begins with the second.
    ///
    /// # Safety
    /// There is that vector, and `pass` is at most 1.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
    pub(super) unsafe fn bases(&self, vector: usize, pass: usize) -> [usize; 2] {
        let first = self.table.as_ptr();
        // SAFETY: the caller's: the table has both.
        unsafe { [(*first.add(2 * vector + pass))[0] as usize, (*first.add(2 * vector + 1))[0] as usize] }
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loops around it")]
    pub(super) fn get(&self, number: usize) -> Strip {
        let [base, place, count] = self.table[number];
        Strip { base, place, count }
    }
}
