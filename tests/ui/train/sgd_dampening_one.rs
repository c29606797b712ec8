//! The dampening of SGD is 1.
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
        optimizer: Sgd { momentum: 0.9, dampening: 1.0 },
        //~ instead: optimizer: Sgd { momentum: 0.9, dampening: 0.1 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
