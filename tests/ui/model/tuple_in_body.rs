//! A tuple of values that is not the model's output.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let both = (x.relu(), x.tanh());
    //~ instead: let both = x.relu().concat(x.tanh(), axis = 0);
    both.linear(out = 8)
}

fn main() {}
