//! The number of groups of a group normalization is 0.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.group_norm(groups = 0).flatten().linear(out = 10)
    //~ instead: image.group_norm(groups = 1).flatten().linear(out = 10)
}

fn main() {}
