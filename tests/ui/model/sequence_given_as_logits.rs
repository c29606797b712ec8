//! The model returns a sequence where a single prediction is declared.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> Logits<65> {
    tokens.embedding(out = 32).linear(out = 65)
    //~ instead: tokens.embedding(out = 32).flatten().linear(out = 65)
}

fn main() {}
