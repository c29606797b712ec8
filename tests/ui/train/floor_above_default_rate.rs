//! The floor of a phase is above the default learning rate.
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
