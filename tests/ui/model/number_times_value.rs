//! A number where two values are joined.

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    0.5 * x
}

fn main() {}
