//! The name of a layer is misspelled.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<1> {
    x.linear(out = 4).droput(p = 0.5).linear(out = 1)
    //~ instead: x.linear(out = 4).dropout(p = 0.5).linear(out = 1)
}

fn main() {}
