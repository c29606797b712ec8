//! A range is empty.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    x.slice(start = 4, end = 4)
    //~ instead: x.slice(start = 4, end = 8)
}

fn main() {}
