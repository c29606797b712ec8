//! A key of a layer is set twice.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<1> {
    x.linear(out = 4, out = 1)
    //~ instead: x.linear(out = 1)
}

fn main() {}
