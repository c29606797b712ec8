//! The phases need more epochs than the run has.
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
        epochs: 5,
        schedule: [Warmup { epochs: 2 }, Cosine { epochs: 4 }],
        //~ instead: schedule: [Warmup { epochs: 2 }, Cosine { epochs: 3 }],
    }
}

fn main() {}
