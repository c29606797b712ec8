//! Nesterov momentum is combined with dampening.
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
        optimizer: Sgd { momentum: 0.9, nesterov: true, dampening: 0.1 },
        //~ instead: optimizer: Sgd { momentum: 0.9, nesterov: true },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
