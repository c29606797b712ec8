//! Instance normalization of channels with one pixel.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<3, 8, 8>) -> Logits<10> {
    image.conv2d(out = 8, kernel = 8).instance_norm().flatten().linear(out = 10)
    //~ instead: image.conv2d(out = 8, kernel = 7).instance_norm().flatten().linear(out = 10)
}

fn main() {}
