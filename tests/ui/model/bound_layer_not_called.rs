//! A layer is bound to a name and never called.
//~ about: Layers that share parameters

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    let norm = layer_norm();
    //~ instead:
    x.linear(out = 4)
}

fn main() {}
