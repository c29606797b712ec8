//! The weight decay is too large for the scaled learning rate.
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
        batch: 1024,
        optimizer: Sgd { lr: 0.1, momentum: 0.9, weight_decay: 0.5 },
        scale_lr: LinearScaling { base_batch: 32 },
        //~ instead: scale_lr: LinearScaling { base_batch: 256 },
        schedule: [Warmup { steps: 10 }, Cosine],
    }
}

fn main() {}
