//! The seed is negative.
//~ about: Batches and length

use trainspec::prelude::*;

#[model]
fn Net(image: Image<1, 8, 8>) -> Logits<10> {
    image.flatten().linear(out = 10)
}

train! {
    pub Run {
        model: Net,
        data: Digits8x8::embedded(),
        seed: -1,
        //~ instead: seed: 1,
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
