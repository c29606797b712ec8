//! A model returns a tuple.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    (x.relu(), x.tanh())
    //~ instead: x.relu().concat(x.tanh(), axis = 0).linear(out = 8)
}

fn main() {}
