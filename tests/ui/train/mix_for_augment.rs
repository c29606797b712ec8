//! A way to mix samples is used as an augmentation.
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
        augment: [Mixup],
        //~ instead: mix: Mixup,
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
