//! Lookahead has no optimizer to follow.
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
        optimizer: Lookahead { k: 6 },
        //~ instead: optimizer: Lookahead { optimizer: AdamW { lr: 1e-3 }, k: 6 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
