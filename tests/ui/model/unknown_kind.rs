//! A data type does not exist.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Picture<1, 8, 8>) -> Values<8> {
//~ instead: fn Net(x: Image<1, 8, 8>) -> Values<8> {
    x.flatten().linear(out = 8)
}

fn main() {}
