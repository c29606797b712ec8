//! Arithmetic on a pair.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Image<1, 8, 8>) -> Logits<10> {
    x.conv2d(out = 8, kernel = pair(3, 5), padding = pair(3, 5) / 2).flatten().linear(out = 10)
    //~ instead: x.conv2d(out = 8, kernel = pair(3, 5), padding = pair(3 / 2, 5 / 2)).flatten().linear(out = 10)
}

fn main() {}
