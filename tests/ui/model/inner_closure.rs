//! A closure is bound to a name in a model body.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let twice = |y| y.relu();
    //~ instead: let twice = x.relu();
    twice
}

fn main() {}
