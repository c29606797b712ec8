//! The axis of `concat` is above the largest axis that any value can have.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.concat(x, axis = 7).linear(out = 8)
    //~ instead: x.concat(x, axis = 0).linear(out = 8)
}

fn main() {}
