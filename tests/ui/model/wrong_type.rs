//! A key of a layer has the wrong type.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<1> {
    x.linear(out = "one")
    //~ instead: x.linear(out = 1)
}

fn main() {}
