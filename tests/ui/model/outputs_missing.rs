//! A model declares two outputs, and returns one.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> (Logits<3>, Values<1>) {
    x.linear(out = 3)
    //~ instead: (x.linear(out = 3), x.linear(out = 1))
}

fn main() {}
