//! The return type of a model is a plain Rust type.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Vec<f32> {
//~ instead: fn Net(x: Features<8>) -> Values<8> {
    x.relu()
}

fn main() {}
