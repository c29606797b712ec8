//! A value is multiplied by a whole number.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    2 * x
    //~ instead: 2.0 * x
}

fn main() {}
