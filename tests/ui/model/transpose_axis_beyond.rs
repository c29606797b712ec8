//! An axis does not exist.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(tokens: Tokens<65, 16>) -> Logits<2> {
    tokens.embedding(out = 8).transpose(axes = [1, 2]).flatten().linear(out = 2)
    //~ instead: tokens.embedding(out = 8).transpose(axes = [0, 1]).flatten().linear(out = 2)
}

fn main() {}
