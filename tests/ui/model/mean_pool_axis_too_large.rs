//! A pooling along an axis that its input does not have.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Image<3, 8, 8>) -> Logits<10> {
    x.mean_pool(axis = 3).flatten().linear(out = 10)
    //~ instead: x.mean_pool(axis = 2).flatten().linear(out = 10)
}

fn main() {}
