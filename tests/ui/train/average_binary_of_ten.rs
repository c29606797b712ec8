//! An average over two classes, where there are ten.

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
    }
}

fn main() {}
