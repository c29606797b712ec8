//! A run as it is typed: each key that is not finished is told on its word, and the others are read.

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        loss: CrossEntropy { label_smoothing: },
        optimizer: ,
        metrics: [Accuracy, TopK { k: }, F2],
        clip: GlobalNorm { max: -1.0 },
        sche
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
