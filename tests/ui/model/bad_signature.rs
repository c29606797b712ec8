//! The signature uses Rust features that models do not support.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
unsafe fn Net(ref x: Features<8>, x: Features<8>, #[default(8)] #[default(8)] width: usize) -> Values<8> {
//~ instead: fn Net(x: Features<8>, #[default(8)] width: usize) -> Values<8> {
    x.linear(out = width)
}

fn main() {
    let _ = Net::graph();
}
