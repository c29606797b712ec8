//! A sub-model is given another shape than its kind says.
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
