//! An invalid key in a sub-model is reported once, at the sub-model, though two models use it.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Block(x: Value) -> Value {
    x.linear(out = 8).dropout(p = 1.5)
    //~ instead: x.linear(out = 8).dropout(p = 0.5)
}

#[model]
fn First(x: Features<8>) -> Values<8> {
    x.block().block()
}

#[model]
fn Second(x: Features<8>) -> Values<8> {
    x.block()
}

fn main() {}
