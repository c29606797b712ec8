//! A value is indexed.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x[0]
    //~ instead: x
}

fn main() {}
