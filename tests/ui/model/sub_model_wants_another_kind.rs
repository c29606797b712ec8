//! A sub-model is applied to an input of the wrong shape.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Head(x: Features<16>) -> Values<1> {
    x.linear(out = 1)
}

#[model]
fn Net(x: Features<8>) -> Values<1> {
    x.head()
    //~ instead: x.linear(out = 16).head()
}

fn main() {}
