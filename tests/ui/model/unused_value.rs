//! A layer is called and its value dropped.

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.linear(out = 8);
    x
}

fn main() {}
