//! The second moment of Adafactor never slows down.
//~ about: Optimizer

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        optimizer: Adafactor { beta2_decay: 0.0 },
        //~ instead: optimizer: Adafactor { beta2_decay: -0.8 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
