//! A required key of a layer is missing.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<1> {
    x.linear(bias = false)
    //~ instead: x.linear(out = 1, bias = false)
}

fn main() {}
