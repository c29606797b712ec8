//! `#[model]` has an unexpected argument.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model(input = 8)]
//~ instead: #[model]
fn Net(x: Features<8>) -> Values<8> {
    x.relu()
}

fn main() {}
