//! A Rust method is called on a value.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.clone()
    //~ instead: x
}

fn main() {}
