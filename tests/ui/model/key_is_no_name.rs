//! The name of a key is a field access.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.linear(layer.out = 8)
    //~ instead: x.linear(out = 8)
}

fn main() {}
