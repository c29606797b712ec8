//! The phases need more steps than the run has.
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
        steps: 100,
        schedule: [Warmup { steps: 40 }, Constant { steps: 80 }],
        //~ instead: schedule: [Warmup { steps: 40 }, Constant { steps: 60 }],
    }
}

fn main() {}
