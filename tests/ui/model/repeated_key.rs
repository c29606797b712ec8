//! A key is given twice.

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<1> {
    x.linear(out = 4, out = 1)
}

fn main() {}
