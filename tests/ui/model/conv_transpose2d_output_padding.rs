//! The output padding of a transposed convolution is not less than its stride.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Image<4, 4, 4>) -> Logits<10> {
    x.conv_transpose2d(out = 2, kernel = 3, stride = 2, output_padding = 2).flatten().linear(out = 10)
    //~ instead: x.conv_transpose2d(out = 2, kernel = 3, stride = 2, output_padding = 1).flatten().linear(out = 10)
}

fn main() {}
