//! Sharpness-aware minimization does not move the weights.
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
        optimizer: Sam { optimizer: Sgd { lr: 0.1 }, rho: 0.0 },
        //~ instead: optimizer: Sam { optimizer: Sgd { lr: 0.1 }, rho: 0.05 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
