//! A model calls itself.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.net()
    //~ instead: let mut y = x;
    //~ instead: for _ in 0..3 {
    //~ instead:     y = y.linear(out = 8);
    //~ instead: }
    //~ instead: y
}

fn main() {}
