//! A branch ends with a semicolon and returns no value.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>, #[default(true)] deep: bool) -> Values<8> {
    if deep { x.linear(out = 8); } else { x }
    //~ instead: if deep { x.linear(out = 8) } else { x }
}

fn main() {}
