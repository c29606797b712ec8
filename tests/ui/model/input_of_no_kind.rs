//! The type of an input is a plain Rust type.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Net(x: String) -> Values<8> {
//~ instead: fn Net(x: Features<8>) -> Values<8> {
    x.linear(out = 8)
}

fn main() {}
