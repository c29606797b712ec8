//! The padding of a transposed convolution removes all of its output.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Image<4, 1, 1>) -> Logits<10> {
    x.conv_transpose2d(out = 2, kernel = 3, padding = 2).flatten().linear(out = 10)
    //~ instead: x.conv_transpose2d(out = 2, kernel = 3, padding = 1).flatten().linear(out = 10)
}

fn main() {}
