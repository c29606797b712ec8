//! `sigmoid` is applied before a loss that expects logits.
//~ about: Layers

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10).sigmoid()
    //~ instead: image.flatten().linear(out = 10)
}

fn main() {}
