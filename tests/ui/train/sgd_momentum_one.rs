//! The momentum of SGD is 1.
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
        optimizer: Sgd { lr: 0.1, momentum: 1.0 },
        //~ instead: optimizer: Sgd { lr: 0.1, momentum: 0.9 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
