//! The gain of an orthogonal initializer is 0.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.linear(out = 8, init = Orthogonal { gain: 0.0 })
    //~ instead: x.linear(out = 8, init = Orthogonal { gain: 1.0 })
}

fn main() {}
