//! Sums of columns.

use super::Onto;
use crate::{simd, threads};

/// Numbers of a vector, at every level.
const LANES: usize = 16;

/// The sums of the columns of a matrix with `sums.len()` columns, of which the rows begin `stride` numbers apart:
/// in f32 over blocks of 64 rows, then over the blocks in their order.
///
/// # Panics
/// If `matrix` ends before the last row does.
pub fn column_sums(matrix: &[f32], rows: usize, stride: usize, sums: &mut [f32], onto: Onto) {
    /// Numbers that are worth a word to another thread.
    const NUMBERS: usize = 1 << 17;
    let columns = (NUMBERS / rows.max(1)).next_multiple_of(LANES).max(4 * LANES);
    threads::chunks(sums, columns, |number, sums| {
        let first = (number * columns).min(matrix.len());
        add_columns(&matrix[first..], rows, stride, sums, onto);
    });
}

simd! {
    fn add_columns(matrix: &[f32], rows: usize, stride: usize, sums: &mut [f32], onto: Onto) {
        /// Rows that are summed before their sum goes to the total.
        const ROWS: usize = 64;
        if onto == Onto::Replace {
            sums.fill(0.0);
        }
        for start in (0..sums.len()).step_by(LANES) {
            let width = LANES.min(sums.len() - start);
            let mut total = [0.0; LANES];
            for block in (0..rows).step_by(ROWS) {
                let mut sum = [0.0; LANES];
                for row in block..rows.min(block + ROWS) {
                    let row = &matrix[row * stride + start..][..width];
                    if let Some(row) = row.first_chunk() {
                        add(&mut sum, row);
                    } else {
                        for (sum, value) in sum.iter_mut().zip(row) {
                            *sum += value;
                        }
                    }
                }
                add(&mut total, &sum);
            }
            for (sum, total) in sums[start..].iter_mut().zip(total) {
                *sum += total;
            }
        }
    }
}

#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loop around it")]
#[inline(always)]
fn add(to: &mut [f32; LANES], from: &[f32; LANES]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}
