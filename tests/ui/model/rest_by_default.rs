//! `..Default::default()` in the call of a layer.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.linear(out = 8, ..Default::default())
    //~ instead: x.linear(out = 8)
}

fn main() {}
