//! A value without `mut` is reassigned.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let h = x.linear(out = 8);
    //~ instead: let mut h = x.linear(out = 8);
    h = h.relu();
    h
}

fn main() {}
