//! The added values are infinite.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<10> {
    x.pad(before = 1, after = 1, value = f64::NEG_INFINITY)
    //~ instead: x.pad(before = 1, after = 1, value = -1e9)
}

fn main() {}
