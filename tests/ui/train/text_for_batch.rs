//! The batch size is a string.
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
        batch: "64",
        //~ instead: batch: 64,
    }
}

fn main() -> trainspec::Result<()> {
    Run::main()
}
