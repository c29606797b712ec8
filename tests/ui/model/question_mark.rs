//! `?` is used after a layer.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.relu()?
    //~ instead: x.relu()
}

fn main() {}
