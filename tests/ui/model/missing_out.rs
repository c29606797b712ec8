//! A required key is missing.

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<1> {
    x.linear(bias = false)
}

fn main() {}
