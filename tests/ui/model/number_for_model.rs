//! A sub-model is given a number without its key.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Block(x: Value, width: usize) -> Value {
    x.linear(out = width)
}

#[model]
fn Net(x: Features<8>) -> Values<4> {
    x.block(4)
    //~ instead: x.block(width = 4)
}

fn main() {}
