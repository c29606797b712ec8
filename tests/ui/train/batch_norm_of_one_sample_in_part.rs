//! Batch normalization in a sub-model is trained with a batch size of 1.
//~ about: Batches and length

use trainspec::prelude::*;

#[model]
fn Normed(x: Value, width: usize) -> Value {
    x.linear(out = width).batch_norm().relu()
}

#[model]
fn Net<const WIDTH: usize>(image: Image<1, 8, 8>) -> Logits<10> {
    let mut x = image.flatten();
    for i in 0..2 {
        x = x.normed(width = WIDTH * (i + 1));
    }
    x.linear(out = 10)
}

train! {
    Digits {
        model: Net<16>,
        data: Digits8x8::embedded(),
        batch: 1,
        //~ instead: batch: 64,
    }
}

fn main() {}
