//! The `k` of top-k accuracy is the number of classes.
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
        metrics: [Accuracy, TopK { k: 10 }],
        //~ instead: metrics: [Accuracy, TopK { k: 3 }],
    }
}

fn main() {}
