//! The vector length of a position embedding is missing.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    (tokens.embedding(out = 32) + tokens.position_embedding()).linear(out = 65)
    //~ instead: (tokens.embedding(out = 32) + tokens.position_embedding(out = 32)).linear(out = 65)
}

fn main() {}
