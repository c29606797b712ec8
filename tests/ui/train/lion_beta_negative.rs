//! A beta of Lion is negative.
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
        optimizer: Lion { betas: (-0.9, 0.99) },
        //~ instead: optimizer: Lion { betas: (0.9, 0.99) },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
