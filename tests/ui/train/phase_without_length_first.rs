//! A phase without a length is not the last one.
//~ about: Learning rate

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
        //~ instead: schedule: [Constant { factor: 0.5, steps: 100 }, Cosine],
    }
}

fn main() {}
