//! A loop as often as a value says.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let mut y = x;
    for _ in 0..x {
    //~ instead: for _ in 0..4 {
        y = y.relu();
    }
    y
}

fn main() {}
