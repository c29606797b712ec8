//! The lower limit is above the upper one.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.clamp(min = 6.0, max = 0.0)
    //~ instead: x.clamp(min = 0.0, max = 6.0)
}

fn main() {}
