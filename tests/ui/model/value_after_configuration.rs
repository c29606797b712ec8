//! An input is declared after a configuration key.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Net(width: usize, x: Features<8>) -> Values<8> {
//~ instead: fn Net(x: Features<8>, width: usize) -> Values<8> {
    x.linear(out = width)
}

fn main() {}
