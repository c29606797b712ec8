//! An optimizer is called on a value.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.AdamW()
    //~ instead: x.linear(out = 8)
}

fn main() {}
