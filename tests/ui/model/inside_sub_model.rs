//! A key passed to a sub-model is invalid for a layer inside it.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Block(x: Value, heads: usize) -> Value {
    x + x.layer_norm().self_attention(heads = heads)
}

#[model]
fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    tokens.embedding(out = 64).block(heads = 5).linear(out = 65)
    //~ instead: tokens.embedding(out = 64).block(heads = 4).linear(out = 65)
}

fn main() {}
