//! The base batch size of linear learning rate scaling is missing.
//~ about: Learning rate

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        scale_lr: LinearScaling {},
        //~ instead: scale_lr: LinearScaling { base_batch: 256 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
