//! A run has no name.
//~ about: The block and its keys

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    model: Net,
    //~ instead: pub Run {
    //~ instead:     model: Net,
    data: Digits8x8::embedded(),
    //~ instead:     data: Digits8x8::embedded(),
    //~ instead: }
}

fn main() {}
