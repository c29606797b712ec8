//! A normalized weight is initialized to 0, which has no direction.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10, weight_norm = true, init = Zeros)
    //~ instead: image.flatten().linear(out = 10, weight_norm = true)
}

fn main() {}
