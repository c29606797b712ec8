//! The number of groups does not divide the output channels of a convolution.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(image: Image<4, 8, 8>) -> Logits<10> {
    image.conv2d(out = 9, kernel = 3, groups = 2).flatten().linear(out = 10)
    //~ instead: image.conv2d(out = 8, kernel = 3, groups = 2).flatten().linear(out = 10)
}

fn main() {}
