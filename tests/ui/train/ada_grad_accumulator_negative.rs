//! The initial accumulator of AdaGrad is negative.
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
        optimizer: AdaGrad { initial_accumulator: -0.1 },
        //~ instead: optimizer: AdaGrad { initial_accumulator: 0.1 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
