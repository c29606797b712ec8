//! The values to concatenate do not have the requested axis.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.concat(x, axis = 1).flatten().linear(out = 8)
    //~ instead: x.concat(x, axis = 0).linear(out = 8)
}

fn main() {}
