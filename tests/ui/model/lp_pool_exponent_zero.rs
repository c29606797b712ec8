//! The exponent of a power-average pooling is 0.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.lp_pool2d(p = 0, kernel = 2).flatten().linear(out = 10)
    //~ instead: image.lp_pool2d(p = 2, kernel = 2).flatten().linear(out = 10)
}

fn main() {}
