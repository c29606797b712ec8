//! The rest of Muon is another optimizer.
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
        optimizer: Muon { rest: Sgd { lr: 0.1 } },
        //~ instead: optimizer: Muon { rest: AdamW { lr: 1e-3 } },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
