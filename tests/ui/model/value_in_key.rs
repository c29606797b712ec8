//! A layer key depends on a value of the model.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.linear(out = x)
    //~ instead: x.linear(out = 8)
}

fn main() {}
