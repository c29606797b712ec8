//! The learning rate of the optimizer in Sam is negative.
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
        optimizer: Sam { optimizer: AdamW { lr: -1.0 } },
        //~ instead: optimizer: Sam { optimizer: AdamW { lr: 1e-3 } },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
