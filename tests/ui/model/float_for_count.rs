//! A layer key that expects an integer is set to a float.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    x.linear(out = 4.0)
    //~ instead: x.linear(out = 4)
}

fn main() {}
