//! A row for each position.

use super::{BLOCK, rows};
use crate::matmul::WriteMode;
use crate::sizes::elements;
use crate::threads;

/// A table with a row for each position of a sequence.
///
/// ```
/// use trainspec_kernels::embedding::PositionEmbedding;
/// use trainspec_kernels::matmul::WriteMode;
///
/// let positions = PositionEmbedding { batch: 2, length: 2, features: 1 };
/// let mut y = [10.0, 20.0, 30.0, 40.0];
/// positions.forward(&[1.0, 2.0], &mut y, WriteMode::Accumulate);
/// assert_eq!(y, [11.0, 22.0, 31.0, 42.0]);
///
/// let mut d_table = [0.0; 2];
/// positions.backward(&[1.0, 2.0, 3.0, 4.0], (&mut d_table, WriteMode::Overwrite));
/// assert_eq!(d_table, [4.0, 6.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PositionEmbedding {
    /// The number of samples.
    pub batch: usize,
    /// The number of positions of a sample.
    pub length: usize,
    /// The length of a row.
    pub features: usize,
}

impl PositionEmbedding {
    /// Writes the table to each sample of `y`, or adds it.
    ///
    /// # Shapes
    /// `table`: `[length, features]`; `y`: `[batch, length, features]`.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn forward(&self, table: &[f32], y: &mut [f32], onto: WriteMode) {
        self.check(table, y);
        threads::chunks(y, BLOCK, |number, mut y| {
            let mut first = number * BLOCK % table.len();
            while !y.is_empty() {
                let from = &table[first..];
                let (part, rest) = y.split_at_mut(from.len().min(y.len()));
                match onto {
                    WriteMode::Overwrite => part.copy_from_slice(&from[..part.len()]),
                    WriteMode::Accumulate => rows::add(part, from),
                }
                (y, first) = (rest, 0);
            }
        });
    }

    /// Computes the gradient of the table, from that of `y`, `dy`.
    ///
    /// # Panics
    /// If a slice has the wrong length.
    pub fn backward(&self, dy: &[f32], d_table: (&mut [f32], WriteMode)) {
        /// The minimum number of elements per block, for any number of samples.
        const SMALLEST: usize = 1024;
        let (d_table, onto) = d_table;
        self.check(d_table, dy);
        let (size, total) = ((BLOCK / self.batch.max(1)).max(SMALLEST), d_table.len());
        threads::chunks(d_table, size, |number, d_part| {
            if onto == WriteMode::Overwrite {
                d_part.fill(0.0);
            }
            for sample in 0..self.batch {
                rows::add(d_part, &dy[sample * total + number * size..]);
            }
        });
    }

    fn check(&self, table: &[f32], y: &[f32]) {
        let Self { batch, length, features } = *self;
        assert_eq!(table.len(), elements([length, features]), "the table is [length, features]");
        assert_eq!(y.len(), elements([batch, length, features]), "y is [batch, length, features]");
    }
}
