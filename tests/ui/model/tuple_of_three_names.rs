//! A tuple of values is bound to more names.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    let (a, b, c) = (x.linear(out = 4), x.linear(out = 4));
    //~ instead: let (a, b) = (x.linear(out = 4), x.linear(out = 4));
    a * b + c
    //~ instead: a * b
}

fn main() {}
