//! A second moment of a matrix by its rows and its columns (Shazeer & Stern 2018).
//!
//! A tensor of more than two axes is a list of matrices: its last two axes. Sums have a fixed order, so that results do not depend on
//! threads or the SIMD level.

use crate::grad_norm::sum_of_squares;
use crate::simd;
use crate::threads;

use super::rules::lerp;

/// Columns that are summed at once.
const COLUMNS: usize = 64;
/// Elements that a thread takes at a time, at least.
const WORK: usize = 16 * 1024;

/// The second moment of a tensor of `[matrices, rows, columns]`.
#[derive(Debug)]
pub struct FactoredMoment<'a> {
    /// The moving average of the mean square of each row: `[matrices, rows]`.
    pub row: &'a mut [f32],
    /// The moving average of the mean square of each column: `[matrices, columns]`.
    pub column: &'a mut [f32],
    /// The number of rows of a matrix.
    pub rows: usize,
    /// The number of columns of a matrix.
    pub columns: usize,
}

impl FactoredMoment<'_> {
    /// Moves the averages the fraction `share` of the way to those of `gradients`, then divides each gradient by the root of its
    /// second moment, `row * column / mean(row)`. The mean is at least `eps`, the second moment at least `eps^2`.
    ///
    /// # Panics
    /// If a slice does not have the right length, or the matrices are empty.
    ///
    /// ```
    /// use trainspec_kernels::update::FactoredMoment;
    ///
    /// // Squares of 4 and 16: the mean of rows and columns is 10.
    /// let (mut row, mut column) = ([0.0; 2], [0.0; 2]);
    /// let mut gradients = [2.0, 4.0, 4.0, 2.0];
    /// FactoredMoment { row: &mut row, column: &mut column, rows: 2, columns: 2 }.normalize(&mut gradients, 1.0, 1e-7);
    /// assert_eq!((row, column), ([10.0; 2], [10.0; 2]));
    /// assert!((gradients[0] - 2.0 / 10.0_f32.sqrt()).abs() < 1e-6);
    /// ```
    pub fn normalize(self, gradients: &mut [f32], share: f32, eps: f32) {
        let Self { row, column, rows, columns } = self;
        let matrices = gradients.len() / (rows * columns);
        assert!(matrices * rows * columns == gradients.len(), "matrices of these sizes");
        assert!(
            row.len() == matrices * rows && column.len() == matrices * columns,
            "an average for each row and column"
        );
        let lines = (WORK / columns).max(1);
        threads::chunks(row, lines, |number, row| {
            for (place, average) in row.iter_mut().enumerate() {
                let start = (number * lines + place) * columns;
                let mean = sum_of_squares(&gradients[start..start + columns]) / columns as f64;
                *average = lerp(*average, mean as f32, share);
            }
        });
        for (matrix, column) in column.chunks_mut(columns).enumerate() {
            let gradients = &gradients[matrix * rows * columns..][..rows * columns];
            threads::chunks(column, COLUMNS, |number, column| {
                let mut sums = [0.0; COLUMNS];
                for line in gradients.chunks(columns) {
                    add_squares(&mut sums, &line[number * COLUMNS..][..column.len()]);
                }
                for (average, sum) in column.iter_mut().zip(sums) {
                    *average = lerp(*average, (sum / rows as f64) as f32, share);
                }
            });
        }
        for (matrix, gradients) in gradients.chunks_mut(rows * columns).enumerate() {
            let (row, column) = (&row[matrix * rows..][..rows], &column[matrix * columns..][..columns]);
            let mean = row.iter().map(|&value| f64::from(value)).sum::<f64>() / rows as f64;
            let mean = (mean as f32).max(eps);
            threads::chunks(gradients, lines * columns, |number, gradients| {
                for (place, line) in gradients.chunks_mut(columns).enumerate() {
                    divide(line, column, row[number * lines + place], mean, eps * eps);
                }
            });
        }
    }
}

/// Moves the averages the fraction `share` of the way to the squares of `gradients`, then divides each gradient by the root of its average,
/// which is at least `eps^2`: the second moment of a vector.
///
/// # Panics
/// If there are not as many averages as gradients.
pub fn normalize(averages: &mut [f32], gradients: &mut [f32], share: f32, eps: f32) {
    assert_eq!(averages.len(), gradients.len(), "an average for each gradient");
    threads::chunks2((averages, WORK), (gradients, WORK), |_, averages, gradients| {
        follow(averages, gradients, share, eps * eps);
    });
}

simd! {
    fn add_squares(sums: &mut [f64; COLUMNS], line: &[f32]) {
        for (sum, value) in sums.iter_mut().zip(line) {
            *sum += f64::from(*value) * f64::from(*value);
        }
    }
}

simd! {
    fn divide(line: &mut [f32], column: &[f32], row: f32, mean: f32, least: f32) {
        for (value, column) in line.iter_mut().zip(column) {
            let moment = row * column / mean;
            *value *= 1.0 / if moment > least { moment } else { least }.sqrt();
        }
    }
}

simd! {
    fn follow(averages: &mut [f32], gradients: &mut [f32], share: f32, least: f32) {
        for (average, gradient) in averages.iter_mut().zip(gradients.iter_mut()) {
            *average = lerp(*average, *gradient * *gradient, share);
            *gradient *= 1.0 / if *average > least { *average } else { least }.sqrt();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::philox;
    use crate::simd::{self, Level};

    fn numbers(count: usize, key: u32) -> Vec<f32> {
        let mut words = vec![0; count];
        philox::fill(&mut words, [key, 0], [0; 3]);
        words.iter().map(|&word| (f64::from(word) / f64::from(1_u32 << 31) - 1.0) as f32).collect()
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    /// In f64, from the formulas; each result has about 10 roundings.
    #[test]
    fn factored_moment_matches_f64_at_every_level() {
        for (matrices, rows, columns) in [(1, 3, 5), (2, 70, 130), (3, 1, 1), (1, 40, 1000), (2, 1, 7)] {
            let gradients = numbers(matrices * rows * columns, 1);
            let (share, eps) = (0.3, 1e-7);
            let of =
                |matrix: usize, i: usize, j: usize| f64::from(gradients[(matrix * rows + i) * columns + j]);
            let mut first: Option<Vec<u32>> = None;
            for &level in Level::available() {
                let (mut row, mut column) = (vec![0.25; matrices * rows], vec![0.5; matrices * columns]);
                let mut found = gradients.clone();
                simd::at_level(level, || {
                    let moment = FactoredMoment { row: &mut row, column: &mut column, rows, columns };
                    moment.normalize(&mut found, share, eps);
                });
                let all = bits(&[row, column, found.clone()].concat());
                assert_eq!(first.get_or_insert_with(|| all.clone()), &all, "{level:?}");
                for matrix in 0..matrices {
                    let row = |i: usize| {
                        let mean =
                            (0..columns).map(|j| of(matrix, i, j).powi(2)).sum::<f64>() / columns as f64;
                        0.25 + f64::from(share) * (mean - 0.25)
                    };
                    let rows_of: Vec<f64> = (0..rows).map(row).collect();
                    let mean = rows_of.iter().sum::<f64>() / rows as f64;
                    for j in 0..columns {
                        let column = (0..rows).map(|i| of(matrix, i, j).powi(2)).sum::<f64>() / rows as f64;
                        let column = 0.5 + f64::from(share) * (column - 0.5);
                        for (i, row) in rows_of.iter().enumerate() {
                            let expected = of(matrix, i, j) / (row * column / mean).sqrt();
                            let found = f64::from(found[(matrix * rows + i) * columns + j]);
                            let bound = 30.0 * f64::from(f32::EPSILON) * expected.abs();
                            assert!((found - expected).abs() <= bound, "{found}, not {expected}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn small_moments_are_bounded() {
        let (mut row, mut column, mut gradients) = ([0.0; 1], [0.0; 2], [0.0, 1e-20]);
        FactoredMoment { row: &mut row, column: &mut column, rows: 1, columns: 2 }.normalize(
            &mut gradients,
            0.5,
            1e-3,
        );
        assert_eq!(gradients[0].to_bits(), 0);
        assert!((gradients[1] - 1e-17).abs() < 1e-22);
        let mut averages = [0.0; 2];
        let mut gradients = [2.0, 0.0];
        normalize(&mut averages, &mut gradients, 1.0, 1e-3);
        assert_eq!((averages, gradients), ([4.0, 0.0], [1.0, 0.0]));
    }
}
