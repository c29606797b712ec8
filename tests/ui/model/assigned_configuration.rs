//! A configuration key is reassigned.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>, #[default(8)] width: usize) -> Values<8> {
    width = 8;
    //~ instead: let width = 8;
    x.linear(out = width)
}

fn main() {}
