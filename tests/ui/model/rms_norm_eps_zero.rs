//! A root that can be 0, by which is divided.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.rms_norm(eps = 0.0)
    //~ instead: x.rms_norm(eps = 1e-6)
}

fn main() {}
