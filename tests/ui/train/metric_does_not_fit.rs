//! A regression metric is used with a model that returns logits.
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
        metrics: [Accuracy, MeanAbsoluteError],
        //~ instead: metrics: [Accuracy],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
