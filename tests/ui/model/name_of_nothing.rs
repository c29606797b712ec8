//! The output is a name of nothing.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    y
    //~ instead: x
}

fn main() {}
