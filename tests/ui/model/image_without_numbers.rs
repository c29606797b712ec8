//! A data type has no generic arguments.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Image) -> Values<8> {
//~ instead: fn Net(x: Image<1, 8, 8>) -> Values<8> {
    x.flatten().linear(out = 8)
}

fn main() {}
