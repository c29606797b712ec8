//! The model is an unrelated struct.
//~ about: Model and data

use trainspec::prelude::*;

struct Mine {}

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Mine,
        //~ instead: model: Net,
        data: Digits8x8::embedded(),
        metrics: [Accuracy],
        optimizer: AdamW { lr: 1e-3 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
