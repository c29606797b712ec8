//! A key has an unsupported attribute.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>, #[range(1, 8)] width: usize) -> Values<8> {
//~ instead: fn Net(x: Features<8>, width: usize) -> Values<8> {
    x.linear(out = width)
}

fn main() {}
