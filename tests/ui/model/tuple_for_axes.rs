//! A tuple is used where an array is expected.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.reshape(to = (2, 4)).flatten()
    //~ instead: x.reshape(to = [2, 4]).flatten()
}

fn main() {}
