//! The number of attention heads does not divide the number of features.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    tokens.embedding(out = 32).self_attention(heads = 5).linear(out = 65)
    //~ instead: tokens.embedding(out = 32).self_attention(heads = 4).linear(out = 65)
}

fn main() {}
