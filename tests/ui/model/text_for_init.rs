//! The name of an initializer in quotes.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<4> {
    x.linear(out = 4, init = "xavier")
    //~ instead: x.linear(out = 4, init = Xavier)
}

fn main() {}
