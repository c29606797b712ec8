//! A floor above the rate that AdamW has by default.

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    Digits {
        model: Net,
        data: Digits8x8::embedded(),
        schedule: [ReduceOnPlateau { min: 0.1 }],
    }
}

fn main() {}
