//! A convolution of sequences is applied to an image.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Image<1, 8, 8>) -> Logits<10> {
    x.conv1d(out = 8, kernel = 3).flatten().linear(out = 10)
    //~ instead: x.conv2d(out = 8, kernel = 3).flatten().linear(out = 10)
}

fn main() {}
