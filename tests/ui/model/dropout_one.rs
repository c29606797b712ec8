//! The dropout probability is 1.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<1> {
    x.dropout(p = 1.0).linear(out = 1)
    //~ instead: x.dropout(p = 0.1).linear(out = 1)
}

fn main() {}
