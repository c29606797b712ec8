//! A new shape with an empty axis.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.reshape(to = [0, 8]).flatten()
    //~ instead: x.reshape(to = [1, 8]).flatten()
}

fn main() {}
