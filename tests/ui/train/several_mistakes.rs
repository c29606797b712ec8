//! A sign, a name, a value and a key that is missing: each is told once.

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        batch = 64,
        optimizer: AdamW { lr: 0.0 }
        epochs: 3 4,
        clip: GlobalNorm { max: -1.0 },
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
