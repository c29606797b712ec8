//! An input is declared with a tuple pattern.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Net((a, b): Features<8>) -> Values<8> {
//~ instead: fn Net(a: Features<8>, b: Features<8>) -> Values<8> {
    a + b
}

fn main() {}
