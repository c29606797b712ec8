//! The last element is taken of a value with one axis.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Logits<10> {
    x.last().linear(out = 10)
    //~ instead: x.linear(out = 10)
}

fn main() {}
