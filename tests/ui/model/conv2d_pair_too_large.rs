//! A rectangular kernel is larger than the image.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Image<1, 8, 4>) -> Logits<10> {
    x.conv2d(out = 8, kernel = pair(3, 5)).flatten().linear(out = 10)
    //~ instead: x.conv2d(out = 8, kernel = pair(3, 5), padding = pair(1, 2)).flatten().linear(out = 10)
}

fn main() {}
