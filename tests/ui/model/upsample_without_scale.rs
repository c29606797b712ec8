//! An upsampling has no factor.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(x: Image<3, 8, 8>) -> Logits<10> {
    x.upsample().flatten().linear(out = 10)
    //~ instead: x.upsample(scale = 2).flatten().linear(out = 10)
}

fn main() {}
