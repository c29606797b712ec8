//! Global average pooling is applied to a feature vector instead of an image.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(x: Features<64>) -> Logits<10> {
    x.global_avg_pool().linear(out = 10)
    //~ instead: x.linear(out = 10)
}

fn main() {}
