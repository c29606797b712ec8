//! `..Default::default()` is used in a layer call.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.linear(out = 8, ..Default::default())
    //~ instead: x.linear(out = 8)
}

fn main() {}
