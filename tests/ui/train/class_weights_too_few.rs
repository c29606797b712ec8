//! There are fewer class weights than classes.
//~ about: Loss and metrics

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    Digits {
        model: Net,
        data: Digits8x8::embedded(),
        loss: CrossEntropy { weights: &[1.0, 2.0] },
        //~ instead: loss: CrossEntropy { weights: &[1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0] },
    }
}

fn main() {}
