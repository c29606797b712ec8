//! A model that returns two values is used as one value.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Both(x: Value) -> (Value, Value) {
    (x.tanh(), x.sigmoid())
}

#[model]
fn Net(x: Features<8>) -> Values<4> {
    let a = x.both();
    //~ instead: let (a, _) = x.both();
    a.linear(out = 4)
}

fn main() {}
