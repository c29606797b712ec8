//! A type that is not a layer is called on a value.
//~ about: Layers

use trainspec::prelude::*;

struct Thing {}

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.Thing()
    //~ instead: x.relu()
}

fn main() {}
