//! A string is used where an enum variant is expected.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.gelu(approximate = "tanh")
    //~ instead: x.gelu(approximate = Approximate::Tanh)
}

fn main() {}
