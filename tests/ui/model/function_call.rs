//! A layer is called like a function.

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    linear(x, out = 8)
}

fn main() {}
