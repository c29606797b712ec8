//! An axis occurs twice.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.permute(axes = [0, 1, 1]).flatten().linear(out = 10)
    //~ instead: image.permute(axes = [0, 2, 1]).flatten().linear(out = 10)
}

fn main() {}
