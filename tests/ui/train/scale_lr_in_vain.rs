//! A learning rate scaling has no effect on the schedule.
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
        batch: 64,
        scale_lr: LinearScaling { base_batch: 256 },
        //~ instead:
        schedule: [OneCycle { max: 0.1 }],
        //~ instead: schedule: [OneCycle { max: 0.025 }],
    }
}

fn main() {}
