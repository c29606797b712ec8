//! A layer is called as a function instead of a method.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    linear(x, out = 8)
    //~ instead: x.linear(out = 8)
}

fn main() {}
