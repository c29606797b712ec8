//! The number of groups does not divide the channels of a group normalization.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<3, 8, 8>) -> Logits<10> {
    image.group_norm(groups = 2).flatten().linear(out = 10)
    //~ instead: image.group_norm(groups = 3).flatten().linear(out = 10)
}

fn main() {}
