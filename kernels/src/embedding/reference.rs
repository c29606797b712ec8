//! Both embeddings as products with matrices of zeros and ones, in f64.

/// The index of the row of each position.
pub(super) struct Rows(pub(super) Vec<usize>);

impl Rows {
    /// 1 where a position has the row.
    fn weight(&self, place: usize, row: usize) -> f64 {
        f64::from(u8::from(self.0[place] == row))
    }

    /// `weights * table`
    pub(super) fn forward(&self, table: &[f64], count: usize, features: usize) -> Vec<f64> {
        let mut y = vec![0.0; self.0.len() * features];
        for place in 0..self.0.len() {
            for row in 0..count {
                for feature in 0..features {
                    y[place * features + feature] +=
                        self.weight(place, row) * table[row * features + feature];
                }
            }
        }
        y
    }

    /// `weights^T * dy`
    pub(super) fn backward(&self, dy: &[f64], count: usize, features: usize) -> Vec<f64> {
        let mut d_table = vec![0.0; count * features];
        for row in 0..count {
            for place in 0..self.0.len() {
                for feature in 0..features {
                    d_table[row * features + feature] +=
                        self.weight(place, row) * dy[place * features + feature];
                }
            }
        }
        d_table
    }
}
