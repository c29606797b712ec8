//! A floor above the rate from which the phase falls.

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    Digits {
        model: Net,
        data: Digits8x8::embedded(),
        optimizer: AdamW { lr: 1e-3 },
        schedule: [Warmup { steps: 50 }, Cosine { floor: 1e-2 }],
    }
}

fn main() {}
