//! A branch ends with a `let` and returns no value.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>, #[default(true)] deep: bool) -> Values<8> {
    if deep { let y = x.relu(); } else { x }
    //~ instead: if deep { x.relu() } else { x }
}

fn main() {}
