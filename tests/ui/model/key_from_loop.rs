//! A key computed from a loop counter is out of range.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<1> {
    let mut x = x;
    for i in 0..4 {
        x = x.linear(out = 3 - i);
        //~ instead: x = x.linear(out = 8 - i);
    }
    x.linear(out = 1)
}

fn main() {}
