//! An L2 penalty is negative.
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
        optimizer: Sgd { l2: -1e-4 },
        //~ instead: optimizer: Sgd { l2: 1e-4 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
