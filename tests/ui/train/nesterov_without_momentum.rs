//! Nesterov is enabled without momentum.
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
        optimizer: Sgd { lr: 0.1, nesterov: true },
        //~ instead: optimizer: Sgd { lr: 0.1, momentum: 0.9, nesterov: true },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
