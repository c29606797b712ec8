//! A key does not exist and resembles no other key.
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
        learning_rate: 1e-3,
        //~ instead: optimizer: AdamW { lr: 1e-3 },
    }
}

fn main() {}
