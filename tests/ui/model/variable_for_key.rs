//! A layer key is set to an undefined name.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    x.linear(out = width)
    //~ instead: x.linear(out = 4)
}

fn main() {}
