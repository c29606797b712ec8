//! A compound assignment operator is used.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let mut h = x.linear(out = 8);
    h += x;
    //~ instead: h = h + x;
    h
}

fn main() {}
