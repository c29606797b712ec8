//! A model returns a tuple, but declares one output.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
//~ instead: fn Net(x: Features<8>) -> (Values<8>, Values<8>) {
    (x.relu(), x.tanh())
}

fn main() {}
