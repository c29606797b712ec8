//! Adafactor has two values of eps.
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
        optimizer: Adafactor { eps: 1e-3 },
        //~ instead: optimizer: Adafactor { eps: (1e-7, 1e-3) },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
