//! The number of attention heads is 0.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    tokens.embedding(out = 32).self_attention(heads = 0).linear(out = 65)
    //~ instead: tokens.embedding(out = 32).self_attention(heads = 4).linear(out = 65)
}

fn main() {}
