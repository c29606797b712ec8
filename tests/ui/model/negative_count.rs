//! A layer key that expects a count is negative.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    x.linear(out = -4)
    //~ instead: x.linear(out = 4)
}

fn main() {}
