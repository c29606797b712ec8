//! A layer stands where a value is expected.
//~ about: Layers that share parameters

use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> Values<4> {
    x + linear(out = 4)
    //~ instead: x + x.linear(out = 4)
}

fn main() {}
