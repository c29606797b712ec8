//! A key of the loss is set twice.
//~ about: Loss and metrics

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        loss: CrossEntropy { label_smoothing: 0.1, label_smoothing: 0.2 },
        //~ instead: loss: CrossEntropy { label_smoothing: 0.1 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
