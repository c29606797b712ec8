//! A key has a value of the wrong type.

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<1> {
    x.linear(out = "one")
}

fn main() {}
