//! A model is declared `const`.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
const fn Net(x: Features<8>) -> Values<8> {
//~ instead: fn Net(x: Features<8>) -> Values<8> {
    x.relu()
}

fn main() {}
