//! `#[default]` has no value.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>, #[default] width: usize) -> Values<8> {
//~ instead: fn Net(x: Features<8>, #[default(8)] width: usize) -> Values<8> {
    x.linear(out = width)
}

fn main() {}
