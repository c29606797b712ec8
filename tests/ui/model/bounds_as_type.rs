//! The type of an input is `impl Trait`.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Net(x: impl Clone) -> Values<8> {
    //~ instead: fn Net(x: Features<8>) -> Values<8> {
    x.relu()
}

fn main() {}
