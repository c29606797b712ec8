//! A floor above the rate that AdamW has by default.
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
        schedule: [ReduceOnPlateau { min: 0.1 }],
        //~ instead: schedule: [ReduceOnPlateau { min: 1e-5 }],
    }
}

fn main() {}
