//! A model that calls itself.

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.net()
}

fn main() {}
