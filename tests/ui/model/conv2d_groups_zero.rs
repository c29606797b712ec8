//! The number of groups of a convolution is 0.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.conv2d(out = 8, kernel = 3, groups = 0).flatten().linear(out = 10)
    //~ instead: image.conv2d(out = 8, kernel = 3, groups = 1).flatten().linear(out = 10)
}

fn main() {}
