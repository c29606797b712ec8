//! A body that ends with a semicolon.

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let y = x.relu();
}

fn main() {}
