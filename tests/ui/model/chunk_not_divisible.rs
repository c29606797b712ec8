//! An axis is not divisible by the number of parts.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<2> {
    let (a, b, c) = x.chunk();
    //~ instead: let (a, b, c) = x.linear(out = 9).chunk();
    (a + b + c).linear(out = 2)
}

fn main() {}
