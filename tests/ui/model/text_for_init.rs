//! The initializer of a layer is a string.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    x.linear(out = 4, init = "xavier")
    //~ instead: x.linear(out = 4, init = Xavier)
}

fn main() {}
