//! A layer key that expects a float is set to an integer.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.dropout(p = 0).linear(out = 8)
    //~ instead: x.dropout(p = 0.0).linear(out = 8)
}

fn main() {}
