//! An adaptive pooling has no windows.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Image<3, 8, 8>) -> Logits<10> {
    x.adaptive_avg_pool2d(out = 0).flatten().linear(out = 10)
    //~ instead: x.adaptive_avg_pool2d(out = 1).flatten().linear(out = 10)
}

fn main() {}
