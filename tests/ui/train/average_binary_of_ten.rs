//! A binary average is used with ten classes.
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
        metrics: [F1 { average: Average::Binary }],
        //~ instead: metrics: [F1 { average: Average::Macro }],
    }
}

fn main() {}
