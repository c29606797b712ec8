//! A layer key that expects a number is set to `true`.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    x.linear(out = true)
    //~ instead: x.linear(out = 4)
}

fn main() {}
