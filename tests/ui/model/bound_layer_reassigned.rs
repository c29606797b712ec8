//! A name that is bound to a layer is bound to another one.
//~ about: Layers that share parameters

use trainspec::prelude::*;

#[model]
fn Net(x: Features<4>) -> Values<4> {
    let step = linear(out = 4);
    let y = x.step();
    let step = linear(out = 4, bias = false);
    //~ instead: let last = linear(out = 4, bias = false);
    y.step()
    //~ instead: y.last()
}

fn main() {}
