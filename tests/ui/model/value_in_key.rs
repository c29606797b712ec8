//! A value of the model where a constant is expected.

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.linear(out = x)
}

fn main() {}
