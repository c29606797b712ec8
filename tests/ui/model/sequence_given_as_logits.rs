//! A whole sequence where one answer is expected.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> Logits<65> {
    tokens.embedding(out = 32).linear(out = 65)
    //~ instead: tokens.embedding(out = 32).flatten().linear(out = 65)
}

fn main() {}
