//! The kernel size of a pooling layer is missing.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.avg_pool2d(stride = 2).flatten().linear(out = 10)
    //~ instead: image.avg_pool2d(kernel = 2, stride = 2).flatten().linear(out = 10)
}

fn main() {}
