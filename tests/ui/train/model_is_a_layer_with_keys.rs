//! The model is a type with keys, but not a model.
//~ about: Model and data

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Linear { out: 10 },
        //~ instead: model: Net,
        data: Digits8x8::embedded(),
        optimizer: AdamW { lr: 1e-3 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
