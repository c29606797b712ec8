//! The `eps` of a layer normalization is negative.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Values<8> {
    x.layer_norm(eps = -1e-5)
    //~ instead: x.layer_norm(eps = 1e-5)
}

fn main() {}
