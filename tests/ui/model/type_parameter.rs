//! A model with a type parameter, and its use.

use trainspec::prelude::*;

#[model]
fn Net<T>(x: Features<8>) -> Values<8> {
    x.relu()
}

#[model]
fn Outer(x: Features<8>) -> Values<8> {
    x.net()
}

fn main() {}
