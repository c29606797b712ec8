//! A required key has a type that needs a default.
//~ about: The signature of a model

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>, by: (f64, f64)) -> Values<8> {
//~ instead: fn Net(x: Features<8>, #[default((0.1, 0.2))] by: (f64, f64)) -> Values<8> {
    x.leaky_relu(slope = by.0)
}

fn main() {}
