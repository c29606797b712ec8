//! Values of different shapes are stacked.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<16> {
    x.stack(x.linear(out = 4)).flatten()
    //~ instead: x.stack(x.linear(out = 8)).flatten()
}

fn main() {}
