//! A layer is called and its value dropped.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.linear(out = 8);
    //~ instead: let x = x.linear(out = 8);
    x
}

fn main() {}
