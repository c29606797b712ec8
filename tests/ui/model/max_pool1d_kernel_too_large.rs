//! A pooling window is longer than the sequence.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Features<8>) -> Logits<10> {
    x.reshape(to = [4, 2]).max_pool1d(kernel = 3).flatten().linear(out = 10)
    //~ instead: x.reshape(to = [4, 2]).max_pool1d(kernel = 2).flatten().linear(out = 10)
}

fn main() {}
