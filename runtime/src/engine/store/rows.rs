//! The rows of tables that the batches of a window read: only these have a gradient.

use std::ops::Range;

use crate::data::Batch;
use crate::graph::Graph;
use crate::layer::{NodeParameter, Role};
use crate::shape::Elements;

/// The rows that a window has read, of each table that is read by tokens of the batch.
pub(super) struct ReadRows(Vec<Table>);

/// A parameter with one row per token.
pub(super) struct Table {
    pub(super) parameter: usize,
    /// The input of the batch whose tokens read it.
    input: usize,
    /// The number of elements per row.
    pub(super) width: usize,
    rows: usize,
    /// One bit per row, which keeps the rows in order.
    read: Vec<u64>,
}

impl ReadRows {
    /// The tables of a graph that an input of the batch reads. A table that another layer uses too, such as a tied output
    /// layer, is not one of them: all of its rows have a gradient.
    pub(super) fn of(graph: &Graph) -> Self {
        let mut tables: Vec<Table> = Vec::new();
        let mut readers = vec![0; graph.parameters.len()];
        for node in &graph.nodes {
            let [input] = node.inputs[..] else { continue };
            if input >= graph.inputs.len() || !node.layer.reads_rows() {
                continue;
            }
            let Some(rows) = graph.shapes[input].vocabulary() else { continue };
            for &NodeParameter { index: parameter, .. } in &node.parameters {
                let table = &graph.parameters[parameter];
                let axes = table.shape.axes();
                if table.is_trained() && table.role == Role::Embedding && axes.first() == Some(&rows) {
                    readers[parameter] += 1;
                    if readers[parameter] > 1 {
                        continue;
                    }
                    let width = axes[1..].iter().product();
                    tables.push(Table { parameter, input, width, rows, read: vec![0; rows.div_ceil(64)] });
                }
            }
        }
        let uses = graph.uses();
        tables.retain(|table| readers[table.parameter] == uses[table.parameter]);
        Self(tables)
    }

    /// Starts a window.
    pub(super) fn clear(&mut self) {
        self.0.iter_mut().for_each(|table| table.read.fill(0));
    }

    /// Adds a batch to the window; its tokens are in the vocabulary.
    pub(super) fn add(&mut self, batch: &Batch) {
        for (number, input) in batch.inputs.iter().enumerate() {
            if let Elements::Int(tokens) = &input.elements {
                self.add_tokens(number, tokens);
            }
        }
    }

    /// Adds tokens of an input that are in the vocabulary.
    pub(super) fn add_tokens(&mut self, input: usize, tokens: &[u32]) {
        for table in self.0.iter_mut().filter(|table| table.input == input) {
            for &token in tokens {
                if let Some(word) = table.read.get_mut(token as usize / 64) {
                    *word |= 1 << (token % 64);
                }
            }
        }
    }

    pub(super) fn tables(&self) -> &[Table] {
        &self.0
    }
}

impl Table {
    fn is_read(&self, row: usize) -> bool {
        self.read[row / 64] >> (row % 64) & 1 == 1
    }

    /// The rows that were read, as ranges of adjacent rows in ascending order.
    pub(super) fn runs(&self) -> impl Iterator<Item = Range<usize>> {
        let mut row = 0;
        std::iter::from_fn(move || {
            while row < self.rows && !self.is_read(row) {
                // Words without rows that were read are skipped at once.
                row += if self.read[row / 64] == 0 { 64 - row % 64 } else { 1 };
            }
            if row >= self.rows {
                return None;
            }
            let start = row;
            while row < self.rows && self.is_read(row) {
                row += 1;
            }
            Some(start..row)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(rows: usize, read: &[usize]) -> Vec<Range<usize>> {
        let mut table = Table { parameter: 0, input: 0, width: 1, rows, read: vec![0; rows.div_ceil(64)] };
        for row in read {
            table.read[row / 64] |= 1 << (row % 64);
        }
        table.runs().collect()
    }

    #[test]
    fn adjacent_rows_form_one_range() {
        assert_eq!(runs(200, &[3, 2, 63, 64, 65, 199, 130]), [2..4, 63..66, 130..131, 199..200]);
        assert_eq!(runs(5, &[0, 1, 2, 3, 4]), vec![0..5; 1]);
        assert!(runs(130, &[]).is_empty());
    }
}
