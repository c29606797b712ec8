//! The hidden size of a recurrent layer is missing.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    tokens.embedding(out = 32).gru().linear(out = 65)
    //~ instead: tokens.embedding(out = 32).gru(out = 32).linear(out = 65)
}

fn main() {}
