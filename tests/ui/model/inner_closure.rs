//! A closure in a model's body.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let twice = |y| y.relu();
    //~ instead: let twice = x.relu();
    twice
}

fn main() {}
