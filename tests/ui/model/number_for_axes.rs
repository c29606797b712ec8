//! A single number is used where a list of axes is expected.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.reshape(to = 8).flatten()
    //~ instead: x.reshape(to = [8]).flatten()
}

fn main() {}
