//! A layer is called on an undefined name.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let h = y.linear(out = 8);
    //~ instead: let h = x.linear(out = 8);
    h + x
}

fn main() {}
