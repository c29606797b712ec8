//! A model has an invalid key and, elsewhere, a shape mismatch.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.conv2d(out = 8, kernel = 9).flatten().linear(out = 10)
    //~ instead: image.conv2d(out = 8, kernel = 3).flatten().linear(out = 10)
}

#[model]
fn Other(x: Features<8>) -> Logits<10> {
    x.dropout(p = 2.0).linear(out = 10)
    //~ instead: x.dropout(p = 0.2).linear(out = 10)
}

fn main() {}
