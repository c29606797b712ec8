//! A model is declared with `self`.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Net(self) -> Values<8> {
//~ instead: fn Net(x: Features<8>) -> Values<8> {
    x.relu()
}

fn main() {}
