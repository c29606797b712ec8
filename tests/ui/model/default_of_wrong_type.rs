//! The default of a key has another type than the key.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>, #[default("8")] width: usize) -> Values<8> {
//~ instead: fn Net(x: Features<8>, #[default(8)] width: usize) -> Values<8> {
    x.linear(out = width)
}

fn main() {}
