//! Embeddings: a row of a table for each token, and a row for each position.
//!
//! [`Embedding`]: `y[place] = table[token[place]]`, and `d_table[token] = sum(dy[place])` over the positions that have
//! the token. [`PositionEmbedding`]: `y[sample, position] = table[position]`, and
//! `d_table[position] = sum(dy[sample, position])` over the samples.
//!
//! Sums are computed in the order of positions and of samples.
//!
//! # Source
//! Bengio et al., "A neural probabilistic language model", 2003; of learned positions, Gehring et al.,
//! "Convolutional sequence to sequence learning", 2017.

mod position;
mod rows;
mod token;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

pub use position::PositionEmbedding;
pub use token::Embedding;

/// The number of elements that makes another thread worthwhile.
const BLOCK: usize = 64 * 1024;
