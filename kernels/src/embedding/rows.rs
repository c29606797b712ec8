//! Rows that are read from a table, and added to it.

use crate::matmul::WriteMode;
use crate::simd;

/// The number of tokens that are scanned before the rows of the matches are added.
const GROUP: usize = 256;

simd! {
    /// Copies the rows of `tokens`, as many as fit in `y`.
    pub(super) fn gather(tokens: &[u32], table: &[f32], features: usize, y: &mut [f32], onto: WriteMode) {
        for (row, token) in y.chunks_exact_mut(features).zip(tokens) {
            let from = &table[*token as usize * features..][..features];
            match onto {
                WriteMode::Overwrite => row.copy_from_slice(from),
                WriteMode::Accumulate => plus(row, from),
            }
        }
    }
}

simd! {
    /// Adds the rows of `dy` whose tokens are in the range of `d_rows`, which starts at `first`.
    pub(super) fn scatter(tokens: &[u32], first: usize, features: usize, dy: &[f32], d_rows: &mut [f32]) {
        let count = d_rows.len() / features;
        let mut found = [0; GROUP];
        for (tokens, dy) in tokens.chunks(GROUP).zip(dy.chunks(GROUP * features)) {
            // No branch depends on a token: it could not be predicted.
            let mut end = 0;
            for (place, token) in tokens.iter().enumerate() {
                found[end] = place;
                end += usize::from((*token as usize).wrapping_sub(first) < count);
            }
            for &place in &found[..end] {
                let row = (tokens[place] as usize - first) * features;
                plus(&mut d_rows[row..][..features], &dy[place * features..][..features]);
            }
        }
    }
}

simd! {
    /// `to += from`
    pub(super) fn add(to: &mut [f32], from: &[f32]) {
        plus(to, from);
    }
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "inlined into each SIMD copy of the loop around it")]
fn plus(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}
