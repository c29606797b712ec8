//! A transformer that predicts the next character.

use trainspec::prelude::*;

use crate::data::echoed;

/// Attention, then a layer for each position, both with residual connections.
#[model]
pub(crate) fn Block(x: Value) -> Value {
    let attended = x.layer_norm().self_attention(heads = 4, causal = true, dropout = 0.1);
    let x = x + attended.dropout(p = 0.1);
    x + x.layer_norm().linear(out = 1024).gelu().linear(out = 256).dropout(p = 0.1)
}

#[model]
pub(crate) fn Gpt(tokens: Tokens<65, 128>) -> TokenLogits<65> {
    let mut x = (tokens.embedding(out = 256) + tokens.position_embedding(out = 256)).dropout(p = 0.1);
    for _ in 0..4 {
        x = x.block();
    }
    x.layer_norm().linear(out = 65)
}

train! {
    /// A transformer for characters.
    pub(crate) W4 {
        model: Gpt,
        data: echoed::<65, 128>(16),
        batch: 16,
        steps: 1_000_000_000,
        optimizer: AdamW { lr: 1e-3, weight_decay: 0.01, decay: Decay::All },
        clip: GlobalNorm { max: 1.0 },
    }
}
