//! A pool that does not say how large its window is.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.avg_pool2d(stride = 2).flatten().linear(out = 10)
    //~ instead: image.avg_pool2d(kernel = 2, stride = 2).flatten().linear(out = 10)
}

fn main() {}
