//! A loop halves the image once too often.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    let mut x = image;
    for _ in 0..4 {
    //~ instead: for _ in 0..3 {
        x = x.conv2d(out = 8, kernel = 3, padding = 1).max_pool2d(kernel = 2);
    }
    x.flatten().linear(out = 10)
}

fn main() {}
