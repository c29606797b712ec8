//! Several names are bound to a layer that returns one value.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    let (a, b) = x.linear(out = 8);
    //~ instead: let (a, b) = x.linear(out = 8).chunk();
    a * b
}

fn main() {}
