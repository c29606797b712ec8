//! Two values are divided.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x / x
    //~ instead: x * x
}

fn main() {}
