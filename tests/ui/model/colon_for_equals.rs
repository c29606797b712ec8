//! A key of a layer is written with `:` instead of `=`.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    x.linear(out: 4)
    //~ instead: x.linear(out = 4)
}

fn main() {}
