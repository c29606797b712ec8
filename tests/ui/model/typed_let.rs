//! A value with a type of its own.

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let h: Value = x.linear(out = 8);
    h.relu()
}

fn main() {}
