//! The weight decay is too large for the largest learning rate of the schedule.
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
        optimizer: Sgd { lr: 0.1, weight_decay: 0.5 },
        schedule: [OneCycle { max: 3.0 }],
        //~ instead: schedule: [OneCycle { max: 1.0 }],
    }
}

fn main() {}
