//! A convolution is applied to a feature vector instead of an image.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(x: Features<64>) -> Logits<10> {
    x.conv2d(out = 8, kernel = 3).flatten().linear(out = 10)
    //~ instead: x.reshape(to = [1, 8, 8]).conv2d(out = 8, kernel = 3).flatten().linear(out = 10)
}

fn main() {}
