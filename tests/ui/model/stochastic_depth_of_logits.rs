//! Stochastic depth is applied to the logits.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10).stochastic_depth(p = 0.1)
    //~ instead: image.flatten().stochastic_depth(p = 0.1).linear(out = 10)
}

fn main() {}
