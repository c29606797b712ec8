//! A key of a sub-model does not exist.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Block(x: Value, width: usize) -> Value {
    x.linear(out = width)
}

#[model]
fn Net(x: Features<8>) -> Values<4> {
    x.block(size = 4)
    //~ instead: x.block(width = 4)
}

fn main() {}
