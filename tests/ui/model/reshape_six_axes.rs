//! The new shape has too many axes.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.reshape(to = [1, 1, 1, 1, 1, 8]).flatten()
    //~ instead: x.reshape(to = [1, 1, 1, 1, 8]).flatten()
}

fn main() {}
