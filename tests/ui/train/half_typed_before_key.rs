//! A key is incomplete, and another key follows it.
//~ about: The block and its keys

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        bat
        //~ instead: batch: 32,
        optimizer: AdamW { lr: -1.0 },
        //~ instead: optimizer: AdamW { lr: 1e-3 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
