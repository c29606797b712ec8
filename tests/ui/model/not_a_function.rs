//! `#[model]` is applied to a struct.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
struct Net {
//~ instead: fn Net(x: Features<8>, width: usize) -> Values<1> {
    width: usize,
    //~ instead: x.linear(out = width).linear(out = 1)
}

fn main() {}
