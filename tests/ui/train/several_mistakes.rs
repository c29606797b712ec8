//! Two syntax errors, an invalid value and a missing key are each reported once.
//~ about: The block and its keys

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        batch = 64,
        //~ instead: data: Digits8x8::embedded(),
        //~ instead: batch: 64,
        optimizer: AdamW { lr: 0.0 }
        //~ instead: optimizer: AdamW { lr: 1e-3 },
        epochs: 3 4,
        //~ instead: epochs: 3,
        clip: GlobalNorm { max: -1.0 },
        //~ instead: clip: GlobalNorm { max: 1.0 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
