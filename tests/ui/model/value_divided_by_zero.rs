//! A value is divided by 0.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x / 0.0
    //~ instead: x / 2.0
}

fn main() {}
