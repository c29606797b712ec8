//! The values to concatenate differ along another axis.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    let a = image.conv2d(out = 4, kernel = 5);
    let b = image.conv2d(out = 4, kernel = 3);
    a.concat(b, axis = 0).flatten().linear(out = 10)
    //~ instead: a.concat(b.conv2d(out = 4, kernel = 3), axis = 0).flatten().linear(out = 10)
}

fn main() {}
