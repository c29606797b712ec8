//! The `eps` of an optimizer is 0.
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
        optimizer: AdamW { eps: 0.0 },
        //~ instead: optimizer: AdamW { eps: 1e-8 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
