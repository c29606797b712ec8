//! A recurrent layer has too many layers.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    tokens.embedding(out = 32).lstm(out = 32, layers = 12).linear(out = 65)
    //~ instead: tokens.embedding(out = 32).lstm(out = 32, layers = 2).linear(out = 65)
}

fn main() {}
