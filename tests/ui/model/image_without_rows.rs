//! The height of an input image is 0.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 0, 8>) -> Logits<10> {
//~ instead: fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

fn main() {}
