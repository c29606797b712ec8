//! A key of the optimizer is written as a key of the run.
//~ about: The block and its keys

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        optimizer: AdamW,
        //~ instead: optimizer: AdamW { lr: 1e-3 },
        lr: 1e-3,
        //~ instead:
    }
}

fn main() {}
