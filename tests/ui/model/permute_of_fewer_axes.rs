//! Not all axes are permuted.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.permute(axes = [1, 0]).flatten().linear(out = 10)
    //~ instead: image.permute(axes = [1, 0, 2]).flatten().linear(out = 10)
}

fn main() {}
