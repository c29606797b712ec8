//! The output of a layer is destructured.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> TokenLogits<65> {
    let (h, state) = tokens.embedding(out = 32).lstm(out = 32);
    //~ instead: let h = tokens.embedding(out = 32).lstm(out = 32);
    h.linear(out = 65)
}

fn main() {}
