//! Muon has no Newton-Schulz iteration.
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
        optimizer: Muon { steps: 0 },
        //~ instead: optimizer: Muon { steps: 5 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
