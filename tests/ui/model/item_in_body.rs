//! A function in a model's body.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    fn width() -> usize {
        8
    }
    x.linear(out = 8)
}

fn main() {}
