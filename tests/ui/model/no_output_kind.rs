//! A model that does not say what it gives.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) {
//~ instead: fn Net(x: Features<8>) -> Values<8> {
    x.relu()
}

fn main() {}
