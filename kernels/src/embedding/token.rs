//! A row for each token.

use super::{BLOCK, rows};
use crate::matmul::WriteMode;
use crate::sizes::elements;
use crate::threads;

/// The maximum number of blocks of a vocabulary, since each block reads all tokens.
const BLOCKS: usize = 64;

/// A table with a row for each token of a vocabulary.
///
/// ```
/// use trainspec_kernels::embedding::Embedding;
/// use trainspec_kernels::matmul::WriteMode;
///
/// let embedding = Embedding { vocabulary: 3, features: 2 };
/// let table = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5];
/// let mut y = [0.0; 6];
/// embedding.forward(&[2, 0, 2], &table, &mut y, WriteMode::Overwrite);
/// assert_eq!(y, [2.0, 2.5, 0.0, 0.5, 2.0, 2.5]);
///
/// let mut d_table = [0.0; 6];
/// embedding.backward(&[2, 0, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], (&mut d_table, WriteMode::Overwrite));
/// assert_eq!(d_table, [3.0, 4.0, 0.0, 0.0, 6.0, 8.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Embedding {
    /// The number of tokens in the vocabulary.
    pub vocabulary: usize,
    /// The length of a row.
    pub features: usize,
}

impl Embedding {
    /// Writes the rows of `tokens` to `y`, or adds them.
    ///
    /// # Shapes
    /// `tokens`: `[places]`, each below the vocabulary; `table`: `[vocabulary, features]`; `y`: `[places, features]`.
    ///
    /// # Panics
    /// If a slice has the wrong length, or a token is not in the vocabulary.
    pub fn forward(&self, tokens: &[u32], table: &[f32], y: &mut [f32], onto: WriteMode) {
        self.check(tokens, table, y);
        if y.is_empty() {
            return;
        }
        let places = (BLOCK / self.features).max(1);
        threads::chunks(y, places * self.features, |number, y| {
            rows::gather(&tokens[number * places..], table, self.features, y, onto);
        });
    }

    /// Computes the gradient of the table, from that of `y`, `dy`.
    ///
    /// # Panics
    /// As [`Embedding::forward`], or if the gradient is not as long as the table.
    pub fn backward(&self, tokens: &[u32], dy: &[f32], d_table: (&mut [f32], WriteMode)) {
        let (d_table, onto) = d_table;
        self.check(tokens, d_table, dy);
        if d_table.is_empty() {
            return;
        }
        let blocks = ((dy.len() + d_table.len()) / BLOCK).clamp(1, BLOCKS);
        let count = self.vocabulary.div_ceil(blocks);
        threads::chunks(d_table, count * self.features, |number, d_rows| {
            if onto == WriteMode::Overwrite {
                d_rows.fill(0.0);
            }
            rows::scatter(tokens, number * count, self.features, dy, d_rows);
        });
    }

    fn check(&self, tokens: &[u32], table: &[f32], y: &[f32]) {
        let Self { vocabulary, features } = *self;
        assert_eq!(table.len(), elements([vocabulary, features]), "the table is [vocabulary, features]");
        assert_eq!(y.len(), elements([tokens.len(), features]), "y is [places, features]");
        if let Some(&largest) = tokens.iter().max() {
            assert!(
                (largest as usize) < vocabulary,
                "token {largest} is not in a vocabulary of {vocabulary}"
            );
        }
    }
}
