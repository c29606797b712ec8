//! A value is multiplied by a number.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    0.5 * x
    //~ instead: x.dropout(p = 0.5)
}

fn main() {}
