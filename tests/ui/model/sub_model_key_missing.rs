//! A required key of a sub-model is missing.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Block(
    x: Value,
    /// The number of attention heads.
    heads: usize,
) -> Value {
    x + x.self_attention(heads = heads)
}

#[model]
fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    tokens.embedding(out = 64).block().linear(out = 65)
    //~ instead: tokens.embedding(out = 64).block(heads = 4).linear(out = 65)
}

fn main() {}
