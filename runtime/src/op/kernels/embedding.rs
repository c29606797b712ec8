//! Tables of vectors.

use trainspec_kernels::{embedding, scratch};

use super::{gradient, parameter};
use crate::error::{Error, Result};
use crate::op::{Backward, Forward, Kernel, SavedForBackward};
use trainspec_kernels::matmul::WriteMode;

/// Looks up a vector for each token.
#[derive(Debug)]
pub(crate) struct Embedding {
    pub(crate) vocabulary: usize,
    pub(crate) features: usize,
    /// A token whose row has no gradient.
    pub(crate) padding: Option<usize>,
}

/// Outputs a vector for each position.
#[derive(Debug)]
pub(crate) struct PositionEmbedding {
    pub(crate) length: usize,
    pub(crate) features: usize,
}

/// Outputs the same vectors for every sample.
#[derive(Debug)]
pub(crate) struct PositionEncoding {
    pub(crate) length: usize,
    pub(crate) features: usize,
    /// `[length, features]`
    pub(crate) table: Vec<f32>,
}

/// Checks that tokens are in the vocabulary.
pub(crate) fn check_tokens(tokens: &[u32], vocabulary: usize) -> Result<()> {
    match tokens.iter().find(|&&token| token as usize >= vocabulary) {
        None => Ok(()),
        Some(wrong) => Err(Error::Batch(format!(
            "the token {wrong} is not in the vocabulary; expected 0 to {}",
            vocabulary.saturating_sub(1)
        ))),
    }
}

impl Kernel for Embedding {
    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let Self { vocabulary, features, .. } = *self;
        let tokens = pass.inputs[0].tokens();
        check_tokens(tokens, vocabulary)?;
        let table = parameter(&pass.parameters, 0).unwrap_or_default();
        embedding::Embedding { vocabulary, features }.forward(
            tokens,
            table,
            pass.output,
            WriteMode::Overwrite,
        );
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        let Self { vocabulary, features, padding } = *self;
        let Some((d_table, onto)) = gradient(pass.gradients, 0, pass.onto) else { return };
        let tokens = pass.inputs[0].tokens();
        let row = padding.map_or(0..0, |padding| padding * features..(padding + 1) * features);
        // The row keeps what others have added to it.
        scratch::with(row.len(), |kept| {
            match onto {
                WriteMode::Overwrite => kept.fill(0.0),
                WriteMode::Accumulate => kept.copy_from_slice(&d_table[row.clone()]),
            }
            embedding::Embedding { vocabulary, features }.backward(tokens, pass.d, (&mut *d_table, onto));
            d_table[row.clone()].copy_from_slice(kept);
        });
    }
}

impl PositionEmbedding {
    fn sizes(&self, batch: usize) -> embedding::PositionEmbedding {
        let Self { length, features } = *self;
        embedding::PositionEmbedding { batch, length, features }
    }
}

impl Kernel for PositionEmbedding {
    fn reads(&self) -> SavedForBackward {
        SavedForBackward::NOTHING
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let table = parameter(&pass.parameters, 0).unwrap_or_default();
        self.sizes(pass.batch).forward(table, pass.output, WriteMode::Overwrite);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        // The output depends on the input only through its length.
        if let Some((dx, WriteMode::Overwrite)) = pass.d_inputs[0].take() {
            dx.fill(0.0);
        }
        if let Some(d_table) = gradient(pass.gradients, 0, pass.onto) {
            self.sizes(pass.batch).backward(pass.d, d_table);
        }
    }
}

impl Kernel for PositionEncoding {
    fn reads(&self) -> SavedForBackward {
        SavedForBackward::NOTHING
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<()> {
        let Self { length, features, ref table } = *self;
        let sizes = embedding::PositionEmbedding { batch: pass.batch, length, features };
        sizes.forward(table, pass.output, WriteMode::Overwrite);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) {
        // The output depends on the input only through its length.
        if let Some((dx, WriteMode::Overwrite)) = pass.d_inputs[0].take() {
            dx.fill(0.0);
        }
    }
}
