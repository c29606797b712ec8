//! A loop body ends with an unused value.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let mut y = x;
    for _ in 0..4 {
        y.relu()
    //~ instead:     y = y.relu();
    }
    y
}

fn main() {}
