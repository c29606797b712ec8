//! A range is beyond the axis.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    x[5..9]
    //~ instead: x[4..8]
}

fn main() {}
