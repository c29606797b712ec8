//! A pool's padding is more than half of its window in one direction.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Image<1, 8, 8>) -> Logits<10> {
    x.max_pool2d(kernel = pair(1, 3), padding = 1).flatten().linear(out = 10)
    //~ instead: x.max_pool2d(kernel = pair(1, 3), padding = pair(0, 1)).flatten().linear(out = 10)
}

fn main() {}
