//! The attention dropout probability is 1.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    tokens.embedding(out = 32).self_attention(heads = 4, dropout = 1.0).linear(out = 65)
    //~ instead: tokens.embedding(out = 32).self_attention(heads = 4, dropout = 0.1).linear(out = 65)
}

fn main() {}
