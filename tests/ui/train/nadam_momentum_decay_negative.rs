//! The momentum decay of NAdam is negative.
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
        optimizer: NAdam { momentum_decay: -4e-3 },
        //~ instead: optimizer: NAdam { momentum_decay: 4e-3 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
