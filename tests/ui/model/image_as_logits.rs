//! A model that ends with an image where a vector is expected.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.conv2d(out = 10, kernel = 3).relu()
    //~ instead: image.conv2d(out = 10, kernel = 3).relu().flatten().linear(out = 10)
}

fn main() {}
