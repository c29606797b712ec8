//! A run has the name of its optimizer.
//~ about: Optimizer

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub AdamW {
    //~ instead: pub AdamWRun {
        model: Net,
        data: Digits8x8::embedded(),
        optimizer: AdamW { lr: 1e-3 },
    }
}

fn main() {}
