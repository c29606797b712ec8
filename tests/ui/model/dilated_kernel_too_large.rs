//! A dilated kernel is larger than the image.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.conv2d(out = 8, kernel = 3, dilation = 4).flatten().linear(out = 10)
    //~ instead: image.conv2d(out = 8, kernel = 3, dilation = 3).flatten().linear(out = 10)
}

fn main() {}
