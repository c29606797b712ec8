//! A sub-model without generics is called with a generic argument.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Block(x: Value) -> Value {
    x.relu()
}

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.block::<3>()
    //~ instead: x.block()
}

fn main() {}
