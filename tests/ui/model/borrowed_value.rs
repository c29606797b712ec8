//! A value is borrowed.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let y = &x;
    //~ instead: let y = x;
    y.relu()
}

fn main() {}
