//! The estimate of Prodigy never grows.
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
        optimizer: Prodigy { growth_rate: 1.0 },
        //~ instead: optimizer: Prodigy { growth_rate: 1.02 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
