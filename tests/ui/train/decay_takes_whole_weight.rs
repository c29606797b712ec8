//! A decay that takes the whole weight at each step.

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        optimizer: SignSgd { lr: 0.5, weight_decay: 2.0 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
