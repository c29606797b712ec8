//! A metric is used where a loss is expected.
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
        loss: Accuracy,
        //~ instead: metrics: [Accuracy],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
