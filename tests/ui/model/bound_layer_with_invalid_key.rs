//! A bound layer has an invalid key.
//~ about: Layers that share parameters

use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> Values<4> {
    let step = linear(out = 0);
    //~ instead: let step = linear(out = 4);
    x.step().step()
}

fn main() {}
