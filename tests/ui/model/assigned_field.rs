//! Something that is no name is assigned.
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
