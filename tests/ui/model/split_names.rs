//! There are more sizes than names.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<3> {
    let (a, b) = x.split(sizes = [3, 3, 2]);
    //~ instead: let (a, b, _) = x.split(sizes = [3, 3, 2]);
    a + b
}

fn main() {}
