//! The number of output features is above the limit.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.linear(out = 10_000_000_000)
    //~ instead: x.linear(out = 8)
}

fn main() {}
