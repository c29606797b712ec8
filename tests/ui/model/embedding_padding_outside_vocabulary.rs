//! The padding token of an embedding is not in the vocabulary.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    tokens.embedding(out = 32, padding = 65).linear(out = 65)
    //~ instead: tokens.embedding(out = 32, padding = 0).linear(out = 65)
}

fn main() {}
