//! The model returns an image where logits are declared.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.conv2d(out = 10, kernel = 3).relu()
    //~ instead: image.conv2d(out = 10, kernel = 3).relu().flatten().linear(out = 10)
}

fn main() {}
