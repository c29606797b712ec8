//! A type that is no layer is called on a value.

use trainspec::prelude::*;

struct Thing {}

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.Thing()
}

fn main() {}
