//! The sizes of the parts do not add up to the axis.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<3> {
    let (a, b) = x.split(sizes = [3, 4]);
    //~ instead: let (a, b) = x.split(sizes = [3, 5]);
    a + b.linear(out = 3)
}

fn main() {}
