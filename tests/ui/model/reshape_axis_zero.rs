//! An axis of the new shape is 0.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.reshape(to = [0, 8]).flatten()
    //~ instead: x.reshape(to = [1, 8]).flatten()
}

fn main() {}
