//! The channels cannot be shuffled into pixels.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Image<6, 4, 4>) -> Logits<10> {
    x.pixel_shuffle(scale = 2).flatten().linear(out = 10)
    //~ instead: x.conv2d(out = 8, kernel = 1).pixel_shuffle(scale = 2).flatten().linear(out = 10)
}

fn main() {}
