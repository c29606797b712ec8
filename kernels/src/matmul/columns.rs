//! Sums of columns.

use super::WriteMode;
use crate::{simd, threads};

/// The number of columns that are summed in parallel: enough to read a row's part at once.
const WIDE: usize = 128;
/// The same for the remaining columns.
const LANES: usize = 16;

/// The sums of the columns of a matrix with `sums.len()` columns, whose rows start `stride` elements apart:
/// in f32 over blocks of 64 rows, then over the blocks in their order.
///
/// # Panics
/// If `matrix` ends before the last row does.
pub fn column_sums(matrix: &[f32], rows: usize, stride: usize, sums: &mut [f32], onto: WriteMode) {
    /// The number of elements that makes another thread worthwhile.
    const NUMBERS: usize = 1 << 17;
    let columns = (NUMBERS / rows.max(1)).next_multiple_of(WIDE).max(WIDE);
    threads::chunks(sums, columns, |number, sums| {
        let first = (number * columns).min(matrix.len());
        add_columns(&matrix[first..], rows, stride, sums, onto);
    });
}

simd! {
    fn add_columns(matrix: &[f32], rows: usize, stride: usize, sums: &mut [f32], onto: WriteMode) {
        if onto == WriteMode::Overwrite {
            sums.fill(0.0);
        }
        let (wide, rest) = sums.as_chunks_mut::<WIDE>();
        let first = wide.len() * WIDE;
        for (number, sums) in wide.iter_mut().enumerate() {
            add_to(matrix, rows, stride, number * WIDE, sums);
        }
        let (narrow, rest) = rest.as_chunks_mut::<LANES>();
        for (number, sums) in narrow.iter_mut().enumerate() {
            add_to(matrix, rows, stride, first + number * LANES, sums);
        }
        let first = first + narrow.len() * LANES;
        for (number, sum) in rest.iter_mut().enumerate() {
            add_to(matrix, rows, stride, first + number, std::array::from_mut(sum));
        }
    }
}

/// Adds the sums of the columns from `first` on.
#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loop around it")]
#[inline(always)]
fn add_to<const COLUMNS: usize>(
    matrix: &[f32],
    rows: usize,
    stride: usize,
    first: usize,
    sums: &mut [f32; COLUMNS],
) {
    /// Rows that are summed before their sum goes to the total.
    const ROWS: usize = 64;
    let mut total = [0.0; COLUMNS];
    for block in (0..rows).step_by(ROWS) {
        let mut sum = [0.0; COLUMNS];
        for row in block..rows.min(block + ROWS) {
            add(&mut sum, &matrix[row * stride + first..][..COLUMNS]);
        }
        add(&mut total, &sum);
    }
    add(sums, &total);
}

#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loop around it")]
#[inline(always)]
fn add<const COLUMNS: usize>(to: &mut [f32; COLUMNS], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}
