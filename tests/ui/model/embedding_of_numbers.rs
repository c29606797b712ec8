//! An embedding is applied to real numbers instead of tokens.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<1> {
    x.embedding(out = 4).flatten().linear(out = 1)
    //~ instead: x.linear(out = 4).linear(out = 1)
}

fn main() {}
