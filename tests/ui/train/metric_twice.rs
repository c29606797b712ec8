//! A metric is listed twice.
//~ about: Loss and metrics

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    Digits {
        model: Net,
        data: Digits8x8::embedded(),
        metrics: [Accuracy, F1, Accuracy],
        //~ instead: metrics: [Accuracy, F1],
    }
}

fn main() {}
