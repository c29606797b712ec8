//! A pooling layer is applied after `flatten`.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().max_pool2d(kernel = 2).linear(out = 10)
    //~ instead: image.max_pool2d(kernel = 2).flatten().linear(out = 10)
}

fn main() {}
