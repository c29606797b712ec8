//! A tuple is used where a pair is expected.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Image<1, 8, 8>) -> Logits<10> {
    x.conv2d(out = 8, kernel = (3, 5)).flatten().linear(out = 10)
    //~ instead: x.conv2d(out = 8, kernel = pair(3, 5)).flatten().linear(out = 10)
}

fn main() {}
