//! The limit of an activation is infinite.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Logits<3> {
    x.linear(out = 8).elu(alpha = f64::INFINITY).linear(out = 3)
    //~ instead: x.linear(out = 8).elu(alpha = 1.0).linear(out = 3)
}

fn main() {}
