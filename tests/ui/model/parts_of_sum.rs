//! Several names are bound to a sum.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    let (a, b) = x + x.relu();
    //~ instead: let (a, b) = x.add(x.relu()).chunk();
    a * b
}

fn main() {}
