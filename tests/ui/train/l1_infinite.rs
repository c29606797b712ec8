//! An L1 penalty is infinite.
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
        optimizer: Sgd { l1: f64::INFINITY },
        //~ instead: optimizer: Sgd { l1: 1e-5 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
