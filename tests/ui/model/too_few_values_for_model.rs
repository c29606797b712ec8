//! A sub-model with two inputs receives one.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Gate(x: Value, by: Value) -> Value {
    x * by.sigmoid()
}

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.gate()
    //~ instead: x.gate(x)
}

fn main() {}
