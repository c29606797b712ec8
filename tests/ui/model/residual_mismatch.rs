//! The branches of a residual connection have different shapes.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    let x = image.conv2d(out = 16, kernel = 3, padding = 1);
    let x = x + x.conv2d(out = 32, kernel = 3, padding = 1);
    //~ instead: let x = x + x.conv2d(out = 16, kernel = 3, padding = 1);
    x.flatten().linear(out = 10)
}

fn main() {}
