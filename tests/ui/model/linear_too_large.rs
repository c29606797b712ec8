//! The weight of a layer would not fit in any memory.
//~ about: Shapes

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 4_000_000_000).linear(out = 4_000_000_000).linear(out = 10)
    //~ instead: image.flatten().linear(out = 4_000).linear(out = 4_000).linear(out = 10)
}

fn main() {}
