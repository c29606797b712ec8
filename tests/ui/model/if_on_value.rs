//! The condition of an `if` depends on a value of the model.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    if x > 0 { x.relu() } else { x }
    //~ instead: x.relu()
}

fn main() {}
