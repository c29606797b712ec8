//! The name of a key is a Rust keyword.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.leaky_relu(crate = 0.1)
    //~ instead: x.leaky_relu(slope = 0.1)
}

fn main() {}
