//! Three invalid values in one run are all reported.
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
        batch: 0,
        //~ instead: batch: 64,
        optimizer: AdamW { lr: 0.0, weight_decay: -1.0 },
        //~ instead: optimizer: AdamW { lr: 1e-3, weight_decay: 0.01 },
        clip: GlobalNorm { max: -1.0 },
        //~ instead: clip: GlobalNorm { max: 1.0 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
