//! The counter of a loop is a tuple pattern.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let mut y = x;
    for (i, j) in 0..4 {
    //~ instead: for i in 0..4 {
        y = y.relu();
    }
    y
}

fn main() {}
