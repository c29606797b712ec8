//! The hidden size of a recurrent layer is 0.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    tokens.embedding(out = 32).lstm(out = 0).linear(out = 65)
    //~ instead: tokens.embedding(out = 32).lstm(out = 32).linear(out = 65)
}

fn main() {}
