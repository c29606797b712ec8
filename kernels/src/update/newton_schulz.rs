//! The Newton-Schulz iteration of Muon: an approximation of the nearest matrix with orthonormal rows or columns.

use crate::grad_norm::sum_of_squares;
use crate::matmul::{View, WriteMode, product};
use crate::scratch;
use crate::simd;
use crate::threads;

/// The coefficients of the polynomial `a x + b x^3 + c x^5` that moves each singular value towards 1 (Jordan 2024).
const COEFFICIENTS: [f32; 3] = [3.4445, -4.7750, 2.0315];

/// Elements per block.
const BLOCK: usize = 32 * 1024;

/// Replaces a matrix of `[rows, columns]` by one with the same singular vectors and singular values of about 1, from 0.7 to 1.2 for those that are
/// not far below the largest.
///
/// The matrix is divided by its norm, at least `eps`; then each of `steps` replaces `X` by `a X + (b G + c G^2) X` with `G = X X^T`, or, if
/// there are fewer columns than rows, the same for the transposed matrix. All of it is f32, with the products of
/// [`matmul`](crate::matmul), so that results do not depend on threads.
///
/// # Panics
/// If the matrix does not have `rows * columns` elements.
///
/// ```
/// use trainspec_kernels::update::orthogonalize;
///
/// let mut matrix = [3.0, 0.0, 0.0, 0.0, -5.0, 0.0];
/// orthogonalize(&mut matrix, 2, 3, 5, 1e-7);
/// assert!((0.6..1.3).contains(&matrix[0]) && (-1.3..-0.6).contains(&matrix[4]));
/// ```
pub fn orthogonalize(matrix: &mut [f32], rows: usize, columns: usize, steps: usize, eps: f32) {
    assert_eq!(matrix.len(), rows * columns, "a matrix of this size");
    let norm = (sum_of_squares(matrix).sqrt() as f32).max(eps);
    by_blocks(matrix, |matrix, _| scale(matrix, norm));
    let small = rows.min(columns);
    let [a, b, c] = COEFFICIENTS;
    scratch::with(scratch_length(rows, columns), |work| {
        let (gram, work) = work.split_at_mut(small * small);
        let (square, moved) = work.split_at_mut(small * small);
        for _ in 0..steps {
            let x = View::new(matrix, rows, columns);
            if rows <= columns {
                product(x, x.transposed(), gram, WriteMode::Overwrite);
            } else {
                product(x.transposed(), x, gram, WriteMode::Overwrite);
            }
            let symmetric = View::new(gram, small, small);
            product(symmetric, symmetric, square, WriteMode::Overwrite);
            // `square` becomes b G + c G^2.
            by_blocks(square, |square, from| combine(square, &gram[from..][..square.len()], c, b));
            let factor = View::new(square, small, small);
            if rows <= columns {
                product(factor, x, moved, WriteMode::Overwrite);
            } else {
                product(x, factor, moved, WriteMode::Overwrite);
            }
            by_blocks(matrix, |matrix, from| combine(matrix, &moved[from..][..matrix.len()], a, 1.0));
        }
    });
}

/// The number of elements of temporary memory that [`orthogonalize`] takes for a matrix of this size.
#[must_use]
pub fn scratch_length(rows: usize, columns: usize) -> usize {
    let small = rows.min(columns);
    2 * small * small + rows * columns
}

/// Runs `run` for blocks of the values, each with its place.
fn by_blocks(values: &mut [f32], run: impl Fn(&mut [f32], usize) + Sync + Send) {
    threads::chunks(values, BLOCK, |number, values| run(values, number * BLOCK));
}

simd! {
    fn scale(values: &mut [f32], divisor: f32) {
        for value in values {
            *value /= divisor;
        }
    }
}

simd! {
    fn combine(values: &mut [f32], others: &[f32], factor: f32, of_others: f32) {
        for (value, other) in values.iter_mut().zip(others) {
            *value = factor * *value + of_others * other;
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

    /// The largest distance of the smaller Gram matrix from the unit matrix.
    fn off(matrix: &[f32], rows: usize, columns: usize) -> f64 {
        let (small, length) = (rows.min(columns), rows.max(columns));
        let at = |i: usize, k: usize| {
            f64::from(if rows <= columns { matrix[i * columns + k] } else { matrix[k * columns + i] })
        };
        let mut worst = 0.0_f64;
        for i in 0..small {
            for j in 0..small {
                let sum: f64 = (0..length).map(|k| at(i, k) * at(j, k)).sum();
                worst = worst.max((sum - if i == j { 1.0 } else { 0.0 }).abs());
            }
        }
        worst
    }

    #[test]
    fn rows_or_columns_become_nearly_orthonormal() {
        for (rows, columns) in [(1, 1), (1, 9), (9, 1), (4, 16), (16, 4), (20, 70)] {
            for size in [1e-6, 1.0, 1e6] {
                let mut matrix: Vec<f32> =
                    numbers(rows * columns, 3).iter().map(|value| size * value).collect();
                orthogonalize(&mut matrix, rows, columns, 5, 1e-7);
                // Singular values from 0.7 to 1.2 have squares from 0.49 to 1.44.
                assert!(off(&matrix, rows, columns) < 0.55, "{rows} x {columns}: {matrix:?}");
            }
        }
    }

    #[test]
    fn zero_matrix_stays_zero() {
        let mut matrix = [0.0; 6];
        orthogonalize(&mut matrix, 2, 3, 5, 1e-7);
        assert!(matrix.iter().all(|value| *value == 0.0));
    }

    /// At every level, and on one thread as on several.
    #[test]
    fn result_does_not_depend_on_level_or_threads() {
        let (rows, columns) = (70, 130);
        let first = numbers(rows * columns, 5);
        let bits = |run: &dyn Fn(&mut [f32])| {
            let mut matrix = first.clone();
            run(&mut matrix);
            matrix.iter().map(|value| value.to_bits()).collect::<Vec<_>>()
        };
        let plain = bits(&|matrix| orthogonalize(matrix, rows, columns, 5, 1e-7));
        for &level in Level::available() {
            let found =
                bits(&|matrix| simd::at_level(level, || orthogonalize(matrix, rows, columns, 5, 1e-7)));
            assert!(found == plain, "{level:?}");
        }
        let alone = bits(&|matrix| threads::alone(|| orthogonalize(matrix, rows, columns, 5, 1e-7)));
        assert!(alone == plain);
    }
}
