//! A value is declared with a type.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    let h: Value = x.linear(out = 8);
    //~ instead: let h = x.linear(out = 8);
    h.relu()
}

fn main() {}
