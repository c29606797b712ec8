//! The key names are missing before two arguments of a layer.
//~ about: Layers

use trainspec::prelude::*;

const WIDTH: usize = 16;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.conv2d(WIDTH, 3, padding = 1).flatten().linear(out = 10)
    //~ instead: image.conv2d(out = WIDTH, kernel = 3, padding = 1).flatten().linear(out = 10)
}

fn main() {}
