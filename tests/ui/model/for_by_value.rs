//! The number of loop iterations depends on a value of the model.
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
