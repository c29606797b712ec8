//! A key of a sub-model has the wrong type.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Block(x: Value, p: f64) -> Value {
    x.dropout(p = p)
}

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.block(p = "0.1")
    //~ instead: x.block(p = 0.1)
}

fn main() {}
