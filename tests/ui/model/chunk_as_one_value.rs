//! The parts of a value are bound to one name.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    let a = x.chunk();
    //~ instead: let (a, _) = x.chunk();
    a.relu()
}

fn main() {}
