//! Sharpness-aware minimization has no optimizer.
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
        optimizer: Sam { rho: 0.05 },
        //~ instead: optimizer: Sam { optimizer: AdamW { lr: 1e-3 }, rho: 0.05 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
