//! The number of groups does not divide the channels of the input of a transposed convolution.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Image<3, 4, 4>) -> Logits<10> {
    x.conv_transpose2d(out = 4, kernel = 2, groups = 2).flatten().linear(out = 10)
    //~ instead: x.conv_transpose2d(out = 3, kernel = 2, groups = 3).flatten().linear(out = 10)
}

fn main() {}
