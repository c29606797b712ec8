//! A number for a layer key is wrapped in `Some`.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    x.linear(out = Some(4))
    //~ instead: x.linear(out = 4)
}

fn main() {}
