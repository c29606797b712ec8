//! 1 for `true`.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    x.linear(out = 4, bias = 1)
    //~ instead: x.linear(out = 4, bias = true)
}

fn main() {}
