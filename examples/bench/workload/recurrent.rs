//! An LSTM that predicts the next character.

use trainspec::prelude::*;

use crate::data::echoed;

#[model]
pub(crate) fn CharLstm(tokens: Tokens<65, 64>) -> TokenLogits<65> {
    tokens.embedding(out = 64).lstm(out = 256).linear(out = 65)
}

train! {
    /// An LSTM for characters. Without decay, `AdamW` is Adam.
    pub(crate) W5 {
        model: CharLstm,
        data: echoed::<65, 64>(32),
        batch: 32,
        steps: 1_000_000_000,
        optimizer: AdamW { lr: 1e-3, weight_decay: 0.0 },
        clip: GlobalNorm { max: 1.0 },
    }
}
