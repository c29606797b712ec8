//! The new shape has a different number of elements.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.reshape(to = [3, 3]).flatten()
    //~ instead: x.reshape(to = [2, 4]).flatten()
}

fn main() {}
