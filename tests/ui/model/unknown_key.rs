//! A key of a layer is misspelled.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.conv2d(out = 4, kernal = 3).flatten().linear(out = 10)
    //~ instead: image.conv2d(out = 4, kernel = 3).flatten().linear(out = 10)
}

fn main() {}
