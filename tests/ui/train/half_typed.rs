//! Each incomplete key is reported, and the other keys are still checked.
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
        loss: CrossEntropy { label_smoothing: },
        //~ instead: loss: CrossEntropy { label_smoothing: 0.1 },
        optimizer: ,
        //~ instead: optimizer: AdamW,
        metrics: [Accuracy, TopK { k: }, F2],
        //~ instead: metrics: [Accuracy, TopK { k: 3 }, F1],
        clip: GlobalNorm { max: -1.0 },
        //~ instead: clip: GlobalNorm { max: 1.0 },
        sche
        //~ instead: schedule: [Cosine],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
