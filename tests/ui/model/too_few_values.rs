//! A layer with two inputs receives one.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.concat(axis = 0)
    //~ instead: x.concat(x, axis = 0).linear(out = 8)
}

fn main() {}
