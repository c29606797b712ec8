//! The magnitude of `RandAugment` is above its range.
//~ about: Training samples

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        augment: [RandAugment { magnitude: 31.0 }],
        //~ instead: augment: [RandAugment { magnitude: 30.0 }],
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
