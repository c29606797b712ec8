//! A `return` at the end.

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    return x.relu();
}

fn main() {}
