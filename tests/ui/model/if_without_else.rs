//! An `if` that returns a value has no `else`.
//~ about: The body of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>, #[default(true)] deep: bool) -> Values<8> {
    if deep { x.linear(out = 8) }
    //~ instead: if deep { x.linear(out = 8) } else { x }
}

fn main() {}
