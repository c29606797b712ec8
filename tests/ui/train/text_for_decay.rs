//! The selection of decayed parameters is a string.
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
        optimizer: AdamW { decay: "all" },
        //~ instead: optimizer: AdamW { decay: Decay::All },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
