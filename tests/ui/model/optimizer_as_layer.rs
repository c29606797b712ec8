//! An optimizer called on a value.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.AdamW(lr = 0.1)
    //~ instead: x.linear(out = 8)
}

fn main() {}
