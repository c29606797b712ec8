//! A weight is tied to that of a layer that is called later.
//!
//! The shapes of a layer's parameters are known from its first call on.
//~ about: Layers that share parameters

use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> Values<4> {
    let step = linear(out = 4);
    let y = x.linear(out = 4, weight = step.weight);
    //~ instead: let first = x.step();
    //~ instead: let y = first.linear(out = 4, weight = step.weight);
    y.step()
}

fn main() {}
