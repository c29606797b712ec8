//! The slope of a leaky ReLU is infinite.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.leaky_relu(slope = f64::INFINITY)
    //~ instead: x.leaky_relu(slope = 0.01)
}

fn main() {}
