//! A number without the name of its key, where no key has to be given.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.linear(out = 8).leaky_relu(0.2)
    //~ instead: x.linear(out = 8).leaky_relu(slope = 0.2)
}

fn main() {}
