//! `true` for a number.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    x.linear(out = true)
    //~ instead: x.linear(out = 4)
}

fn main() {}
