//! A model is declared `async`.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
async fn Net(x: Features<8>) -> Values<8> {
//~ instead: fn Net(x: Features<8>) -> Values<8> {
    x.relu()
}

fn main() {}
