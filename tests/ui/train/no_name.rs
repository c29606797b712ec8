//! A run without a name.

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    model: Net,
    data: Digits8x8::embedded(),
}

fn main() {}
