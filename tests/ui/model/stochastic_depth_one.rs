//! The drop probability of a stochastic depth is 1.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x + x.linear(out = 8).stochastic_depth(p = 1.0)
    //~ instead: x + x.linear(out = 8).stochastic_depth(p = 0.1)
}

fn main() {}
