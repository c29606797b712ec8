//! A data type has too many generic arguments.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8, 8>) -> Values<8> {
//~ instead: fn Net(x: Features<64>) -> Values<8> {
    x.linear(out = 8)
}

fn main() {}
