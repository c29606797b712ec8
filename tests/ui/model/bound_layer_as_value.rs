//! A bound layer is used like a value.
//~ about: Layers that share parameters

use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> Values<4> {
    let step = linear(out = 4);
    let y = x.step();
    y + step
    //~ instead: y + y.step()
}

fn main() {}
