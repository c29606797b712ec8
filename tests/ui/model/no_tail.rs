//! A model body ends with a semicolon and returns no value.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let y = x.relu();
    //~ instead: x.relu()
}

fn main() {}
