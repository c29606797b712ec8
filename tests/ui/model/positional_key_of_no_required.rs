//! The key name is missing before the argument of a layer without required keys.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.linear(out = 8).leaky_relu(0.2)
    //~ instead: x.linear(out = 8).leaky_relu(slope = 0.2)
}

fn main() {}
