//! The bound of a uniform initializer is negative.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.linear(out = 8, init = Uniform { bound: -0.1 })
    //~ instead: x.linear(out = 8, init = Uniform { bound: 0.1 })
}

fn main() {}
