//! The weight decay removes the whole weight at each step.
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
        optimizer: SignSgd { lr: 0.5, weight_decay: 2.0 },
        //~ instead: optimizer: SignSgd { lr: 0.5, weight_decay: 0.1 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
