//! A layer key that expects `true` or `false` is set to 1.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    x.linear(out = 4, bias = 1)
    //~ instead: x.linear(out = 4, bias = true)
}

fn main() {}
