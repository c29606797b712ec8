//! A block does not return a value.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let y = { let h = x.relu(); };
    //~ instead: let y = { let h = x.relu(); h };
    y
}

fn main() {}
