//! The body of a model is empty.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {}
//~ instead: fn Net(x: Features<8>) -> Values<8> {
//~ instead:     x.relu()
//~ instead: }

fn main() {}
