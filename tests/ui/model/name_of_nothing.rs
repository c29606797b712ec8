//! The output of a model is an undefined name.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    y
    //~ instead: x
}

fn main() {}
