//! A layer with one input receives two.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let y = x.linear(out = 8);
    x.relu(y)
    //~ instead: x.relu() + y
}

fn main() {}
