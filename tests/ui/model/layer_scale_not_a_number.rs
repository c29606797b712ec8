//! The initial factor of a layer scale is not a number.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Logits<3> {
    x.linear(out = 8).layer_scale(value = f64::NAN).linear(out = 3)
    //~ instead: x.linear(out = 8).layer_scale(value = 1e-4).linear(out = 3)
}

fn main() {}
