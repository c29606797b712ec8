//! The padding of a pooling layer is more than half of its kernel.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.max_pool2d(kernel = 2, padding = 2).flatten().linear(out = 10)
    //~ instead: image.max_pool2d(kernel = 2, padding = 1).flatten().linear(out = 10)
}

fn main() {}
