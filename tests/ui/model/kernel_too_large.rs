//! A kernel is larger than its input.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 4, 4>) -> Logits<10> {
    image.conv2d(out = 1, kernel = 3).conv2d(out = 8, kernel = 5).flatten().linear(out = 10)
    //~ instead: image.conv2d(out = 1, kernel = 3, padding = 1).conv2d(out = 8, kernel = 4).flatten().linear(out = 10)
}

fn main() {}
