//! A new shape with another number of elements.

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.reshape(to = [3, 3]).flatten()
}

fn main() {}
