//! The floor of a phase is above its initial learning rate.
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
        optimizer: AdamW { lr: 1e-3 },
        schedule: [Warmup { steps: 50 }, Cosine { floor: 1e-2 }],
        //~ instead: schedule: [Warmup { steps: 50 }, Cosine { floor: 1e-5 }],
    }
}

fn main() {}
