//! A model has a type parameter.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Net<T>(x: Features<8>) -> Values<8> {
//~ instead: fn Net<const N: usize>(x: Features<8>) -> Values<8> {
    x.relu()
}

#[model]
fn Outer(x: Features<8>) -> Values<8> {
    x.net()
    //~ instead: x.net::<3>()
}

fn main() {}
