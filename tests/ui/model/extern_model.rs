//! A model is declared `extern`.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
extern "C" fn Net(x: Features<8>) -> Values<8> {
//~ instead: fn Net(x: Features<8>) -> Values<8> {
    x.relu()
}

fn main() {}
