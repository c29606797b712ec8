//! A rate is scaled that nothing depends on.

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    Digits {
        model: Net,
        data: Digits8x8::embedded(),
        batch: 64,
        scale_lr: LinearScaling { base_batch: 256 },
        schedule: [OneCycle { max: 0.1 }],
    }
}

fn main() {}
