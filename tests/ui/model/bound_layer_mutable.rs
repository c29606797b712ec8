//! A bound layer is declared as mutable.
//~ about: Layers that share parameters

use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> Values<4> {
    let mut step = linear(out = 4);
    //~ instead: let step = linear(out = 4);
    x.step().step()
}

fn main() {}
