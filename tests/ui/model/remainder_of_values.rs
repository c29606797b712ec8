//! Two values are combined with an operator that values do not have.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x % x
    //~ instead: x / x
}

fn main() {}
