//! The target of an assignment is not a name.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let mut y = x;
    y.width = x.relu();
    //~ instead: y = x.relu();
    y
}

fn main() {}
