//! All classes would be named, and one of them is right.

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    Digits {
        model: Net,
        data: Digits8x8::embedded(),
        metrics: [Accuracy, TopK { k: 10 }],
    }
}

fn main() {}
