//! The key name is missing before the argument of a layer.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.linear(8)
    //~ instead: x.linear(out = 8)
}

fn main() {}
