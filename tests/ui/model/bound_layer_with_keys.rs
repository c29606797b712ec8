//! A bound layer is called with keys.
//!
//! A layer that is bound to a name has its keys where it is bound: all of its calls have the same ones.
//~ about: Layers that share parameters

use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> Values<4> {
    let step = linear(out = 4);
    x.step().relu().step(bias = false)
    //~ instead: x.step().relu().step()
}

fn main() {}
