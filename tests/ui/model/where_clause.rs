//! A model has a `where` clause.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Net<const N: usize>(x: Features<8>) -> Values<8> where [(); N]: Sized {
//~ instead: fn Net<const N: usize>(x: Features<8>) -> Values<8> {
    x.relu()
}

fn main() {}
