//! The output of a layer is not used.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.linear(out = 8);
    //~ instead: let x = x.linear(out = 8);
    x
}

fn main() {}
