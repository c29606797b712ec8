//! A bound layer is called like a function.
//~ about: Layers that share parameters

use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> Values<4> {
    let step = linear(out = 4);
    let y = x.step();
    step(y)
    //~ instead: y.step()
}

fn main() {}
