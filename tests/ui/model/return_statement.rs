//! A model body ends with `return`.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    return x.relu();
    //~ instead: x.relu()
}

fn main() {}
