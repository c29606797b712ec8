//! A model that returns two values is bound to three names.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Both(x: Value) -> (Value, Value) {
    (x.tanh(), x.sigmoid())
}

#[model]
fn Net(x: Features<8>) -> Values<4> {
    let (a, _, _) = x.both();
    //~ instead: let (a, _) = x.both();
    a.linear(out = 4)
}

fn main() {}
