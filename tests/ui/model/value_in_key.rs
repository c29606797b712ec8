//! A value of the model where a constant is expected.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.linear(out = x)
    //~ instead: x.linear(out = 8)
}

fn main() {}
