//! A layer that is bound to a name is called on values that need other parameters.
//~ about: Layers that share parameters

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    let step = linear(out = 4);
    let y = x.step().relu();
    y.step()
    //~ instead: y.linear(out = 4)
}

fn main() {}
