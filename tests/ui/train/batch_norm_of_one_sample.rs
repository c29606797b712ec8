//! Batch normalization is trained with a batch size of 1.
//~ about: Batches and length

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 32).batch_norm().relu().linear(out = 10)
}

train! {
    Digits {
        model: Net,
        data: Digits8x8::embedded(),
        batch: 1,
        //~ instead: batch: 64,
    }
}

fn main() {}
