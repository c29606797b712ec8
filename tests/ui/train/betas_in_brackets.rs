//! An array is used where a tuple is expected.
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
        optimizer: AdamW { betas: [0.9, 0.999] },
        //~ instead: optimizer: AdamW { betas: (0.9, 0.999) },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
