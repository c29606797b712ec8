//! A phase that takes all that remains, before another.

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    Digits {
        model: Net,
        data: Digits8x8::embedded(),
        schedule: [Constant { factor: 0.5 }, Cosine],
    }
}

fn main() {}
