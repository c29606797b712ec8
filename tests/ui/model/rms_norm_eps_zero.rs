//! The `eps` of an RMS normalization is 0.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.rms_norm(eps = 0.0)
    //~ instead: x.rms_norm(eps = 1e-6)
}

fn main() {}
