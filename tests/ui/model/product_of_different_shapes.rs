//! Two values of different shapes are multiplied.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x * x.linear(out = 4).sigmoid()
    //~ instead: x * x.linear(out = 8).sigmoid()
}

fn main() {}
